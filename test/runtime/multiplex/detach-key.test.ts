import { expect, it } from "vitest";
import { DetachKey } from "../../../src/runtime/multiplex/index.ts";

const G = "\x1d";

/** Feed the pieces until one detaches. */
function type(...pieces: string[]): {
  sent: string;
  detached: boolean;
  rest: string;
  held: boolean;
} {
  const key = new DetachKey();
  let sent = "";
  for (const piece of pieces) {
    const { forward, detach, rest } = key.feed(Buffer.from(piece, "latin1"));
    sent += forward.toString("latin1");
    if (detach) return { sent, detached: true, rest: rest.toString("latin1"), held: key.held };
  }
  return { sent, detached: false, rest: "", held: key.held };
}

it("forwards everything else, in any pieces", () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString("latin1");
  expect(type(all)).toMatchObject({ sent: all, detached: false, held: false });
  expect(type(...all)).toMatchObject({ sent: all, detached: false, held: false });
  expect(type(`${G}a${G}b`, `${G}`, "c")).toMatchObject({
    sent: `${G}a${G}b${G}c`,
    detached: false,
  });
  expect(type("", "", "x", "")).toMatchObject({ sent: "x" });
});

it("detaches on two in a row, in one piece or two, and sends neither", () => {
  const out = { detached: true, held: false };
  expect(type(`${G}${G}`)).toEqual({ ...out, sent: "", rest: "" });
  expect(type(G, G)).toEqual({ ...out, sent: "", rest: "" });
  expect(type(G, "", G)).toEqual({ ...out, sent: "", rest: "" });
  expect(type(`ab${G}${G}cd`)).toEqual({ ...out, sent: "ab", rest: "cd" });
  expect(type(`ab${G}`, `${G}${G}x`)).toEqual({ ...out, sent: "ab", rest: `${G}x` });
  expect(type(`${G}a${G}`, `${G}`)).toEqual({ ...out, sent: `${G}a`, rest: "" });
});

it("keeps a single one back until it is flushed, and still detaches on the next", () => {
  const key = new DetachKey();
  expect(key.flush()).toHaveLength(0);
  expect(key.feed(Buffer.from(`x${G}`)).forward.toString()).toBe("x");
  expect(key.held).toBe(true);
  expect(key.flush().toString()).toBe(G);
  expect(key.held).toBe(false);
  expect(key.flush()).toHaveLength(0);
  const second = key.feed(Buffer.from(`${G}y`));
  expect([second.detach, second.forward.toString(), second.rest.toString()]).toEqual([
    true,
    "",
    "y",
  ]);
  expect(key.feed(Buffer.from(G)).detach).toBe(false);
});

it("agrees with a plain search for the pair, however the bytes are cut", () => {
  let seed = 3;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 16) % below;
  };
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: random(12) }, () => ["a", "b", G][random(3)]).join("");
    const cut = random(text.length + 1);
    const pair = text.indexOf(G + G);
    const typed = type(text.slice(0, cut), text.slice(cut));
    expect(typed.detached).toBe(pair !== -1);
    const expected = pair === -1 ? text : text.slice(0, pair);
    expect(typed.sent + (typed.held ? G : "")).toBe(expected);
  }
});
