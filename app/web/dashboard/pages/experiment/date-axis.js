/** Calendar days as the x axis of a chart. */

import { day } from "../../format.js";

/** A calendar day as a local time, so that it is drawn as that day in every time zone. */
export const localTime = (date) => `${date}T00:00:00`;

/** The axis of these dates; each has a tick if there are few. */
export function dateAxis(dates) {
  const days = new Set(dates).size;
  return { field: "date", type: "temporal", title: null, axis: { format: "%b %d", labelFlush: true, tickCount: days > 7 ? 6 : "day" } };
}

/** The date column of a data table. */
export const DATE_COLUMN = { title: "Date", of: ({ date }) => day(date) };
