/** Steps of a capture at which `MACHINEN_FAULT` can end the VMM or its QEMU (vmm/fault.h). */
export const captureSteps = [
  "capture_prepared",
  "capture_stopped",
  "capture_saved",
  "capture_frozen",
  "capture_copied",
  "capture_continued",
  "capture_answering",
];

/** The same of a machine that resumes, in a fork or from files. */
export const resumeSteps = [
  "resume_base",
  "resume_spawned",
  "resume_greeted",
  "resume_injected",
  "resume_attached",
  "resume_loaded",
  "resume_linked",
  "resume_told",
];
