/* What can be told about two links, case by case: each begins with both up. */
#ifndef STREAM_TEST_CASES_H
#define STREAM_TEST_CASES_H

void case_transfer(void);
void case_polite(void);
void case_guest_opens(void);
void case_flow_control(void);
void case_half_close(void);
void case_reset(void);
void case_many(void);
void case_fair(void);
void case_flood(void);
void case_restart(void);
void case_broken(void);
void case_deaf(void);
void case_fuzz(void);

#endif
