/** The colours of series: style.css defines them, for light and dark. */

/** How many there are; further series start again with the first. */
export const SERIES = 8;

/** The CSS colour of a series by its index, which is a variant's order of registration; charts use the same. */
export const seriesColour = (index) => `var(--series-${(index % SERIES) + 1})`;

