/** The colours of series: style.css defines them, for light and dark. */

/** How many there are; further series begin anew. */
export const SERIES = 8;

/** The colour of a series as CSS names it, in the order of registration; charts use the same. */
export const seriesColour = (place) => `var(--series-${(place % SERIES) + 1})`;
