/** The longest delay of a timer in milliseconds, some 25 days; a longer one would fire at once. */
export const longestTimerMs: number = 2 ** 31 - 1;
