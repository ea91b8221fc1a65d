/** Thrown by a row that needs a program which is not on this machine. */
export class NotRun extends Error {}
