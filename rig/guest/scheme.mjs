/** What the table of the guests is about; the simulated machine foretells the same. */
export const PROMOTE = 'promote hot>75% for 1s to fast quota 64M/s';
