/* Frames to the peer, into the link's queue. */
#include "stream-internal.h"

static void make_header(uint8_t header[HEADER_BYTES], unsigned type, unsigned flags, uint32_t id,
                        uint32_t value) {
    header[0] = 0;
    header[1] = (uint8_t)type;
    put_u16(header + 2, flags);
    put_u32(header + 4, id);
    put_u32(header + 8, value);
}

bool stream_put_data(struct stream *stream, const void *bytes, size_t length) {
    uint8_t header[HEADER_BYTES];
    make_header(header, FRAME_DATA, 0, stream->id, (uint32_t)length);
    return queue_put(&stream->link->queue, QUEUE_LIMIT, header, sizeof header, bytes, length);
}

/* An answer the peer asked for: without room for it the peer asks without reading. */
bool link_put_answer(struct link *link, unsigned type, unsigned flags, uint32_t id, uint32_t value) {
    uint8_t header[HEADER_BYTES];
    make_header(header, type, flags, id, value);
    return queue_put(&link->queue, QUEUE_LIMIT, header, sizeof header, NULL, 0);
}

/* What must not be lost has room of its own. */
void link_put_control(struct link *link, unsigned type, unsigned flags, uint32_t id, uint32_t value) {
    uint8_t header[HEADER_BYTES];
    make_header(header, type, flags, id, value);
    if (!queue_put(&link->queue, QUEUE_CAPACITY, header, sizeof header, NULL, 0))
        link->overflowed = true;
}
