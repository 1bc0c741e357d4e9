/** The most records of one read, and of one unit. */
export const MAX_UNIT_RECORDS = 500;
