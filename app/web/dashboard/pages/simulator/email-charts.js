/** Charts of the e-mail campaign. */

import { chart, legendOf, variantColour } from "../../components/charts/chart.js";
import { count, percent, rate } from "../../format.js";

/** Conversions of every policy as the campaign progresses, with the range of single campaigns. */
export function conversionsOverTime(run, names, signal) {
  const lines = [...run.policies.map((one, i) => [names[i], one]), ["Even split", run.even_split]];
  const values = lines.flatMap(([variant, { over_time: over }]) =>
    run.emails_at.map((emails, i) => ({ variant, emails, mean: over.conversions[i], low: over.conversions_low[i], high: over.conversions_high[i] })),
  );
  const x = { field: "emails", type: "quantitative", title: "e-mails sent", scale: { domain: [0, run.request.emails], nice: false } };
  const labels = lines.map(([name]) => name);
  const every = Math.ceil(run.emails_at.length / 20);
  return chart(
    "Conversions so far, all policies",
    {
      data: { values },
      encoding: { x, color: variantColour(labels) },
      layer: [
        { mark: { type: "area", opacity: 0.18 }, encoding: { y: { field: "low", type: "quantitative", title: "conversions" }, y2: { field: "high" } } },
        { mark: { type: "line", strokeWidth: 2.5 }, encoding: { y: { field: "mean", type: "quantitative" } } },
      ],
    },
    {
      summary: `${lines.map(([name, { conversions }]) => `${name} ends at ${count(Math.round(conversions.mean))}`).join(", ")}. Bands contain 95 % of single campaigns.`,
      signal,
      legend: legendOf(labels),
      data: {
        columns: [{ title: "E-mails", of: ({ emails }) => count(emails) }, ...lines.map(([name, { over_time: over }]) => ({ title: name, numeric: true, of: ({ i }) => count(over.conversions[i]) }))],
        rows: run.emails_at.map((emails, i) => ({ emails, i })).filter(({ i }) => (i + 1) % every === 0),
      },
    },
  );
}

const OUTCOMES = ["converted", "not converted"];

/** How often each subject was sent in a world, by outcome. */
export function traffic({ title, policy, result }, run, signal) {
  const values = result.subjects.flatMap(({ name, sent, conversions }) => [
    { subject: name, variant: OUTCOMES[0], emails: conversions },
    { subject: name, variant: OUTCOMES[1], emails: sent - conversions },
  ]);
  const max = Math.max(...[run.even_split, ...run.policies].flatMap(({ subjects }) => subjects.map(({ sent }) => sent)));
  return chart(
    `Traffic: ${title.toLowerCase()}`,
    {
      data: { values },
      height: Math.max(140, 34 * result.subjects.length) + 55,
      mark: { type: "bar", cornerRadiusEnd: 2 },
      encoding: {
        y: { field: "subject", type: "nominal", sort: null, title: null, axis: { labelLimit: 150, domain: false, ticks: false } },
        x: { field: "emails", type: "quantitative", title: "e-mails", scale: { domain: [0, max], nice: true }, axis: { tickCount: 4 } },
        color: variantColour(OUTCOMES),
        opacity: { condition: { test: `datum.variant === '${OUTCOMES[1]}'`, value: 0.45 }, value: 1 },
        order: { field: "variant", sort: "ascending" },
      },
    },
    {
      summary: `${policy}: ${result.subjects.map(({ name, sent, conversions }) => `${name} ${count(sent)} sent, ${count(conversions)} converted`).join("; ")}.`,
      signal,
      legend: legendOf(OUTCOMES),
      data: {
        columns: [
          { title: "Subject", of: ({ name }) => name },
          { title: "Converted", numeric: true, of: ({ conversions }) => count(conversions) },
          { title: "Not converted", numeric: true, of: ({ sent, conversions }) => count(sent - conversions) },
          { title: "Sent", numeric: true, of: ({ sent }) => count(sent) },
        ],
        rows: result.subjects,
      },
    },
  );
}

/** Each subject's share of the traffic against its rate: above the line y = x it converts more than it was sent. */
export function dynamics(run, worlds, signal) {
  const values = worlds.flatMap(({ policy, result }) =>
    result.subjects.filter((one) => one.rate !== null).map(({ name, share, rate: converts }) => ({ variant: policy, subject: name, share, converts })),
  );
  const max = Math.max(...values.flatMap(({ share, converts }) => [share, converts])) * 1.05;
  const axis = (field, title) => ({ field, type: "quantitative", title, axis: { format: ".0%" }, scale: { domain: [0, max], nice: false } });
  const labels = worlds.map(({ policy }) => policy);
  const named = values.filter(({ variant }) => variant === labels[1]);
  const subjectLabels = (align, data) => ({ data: { values: data }, mark: { type: "text", align, dx: align === "left" ? 9 : -9, fontSize: 11, limit: 140 }, encoding: { x: axis("share"), y: axis("converts"), text: { field: "subject" } } });
  return chart(
    "Reward dynamics: share of the traffic against rate",
    {
      height: 380,
      layer: [
        { data: { values: [{ share: 0, converts: 0 }, { share: max, converts: max }] }, mark: { type: "line", strokeDash: [5, 4], strokeWidth: 1.2, opacity: 0.6 }, encoding: { x: axis("share", "share of the traffic"), y: axis("converts", "rate") } },
        { data: { values }, mark: { type: "point", filled: true, size: 130, opacity: 0.9 }, encoding: { x: axis("share"), y: axis("converts"), color: variantColour(labels), tooltip: [{ field: "subject" }, { field: "share", format: ".1%" }, { field: "converts", format: ".2%", title: "rate" }] } },
        subjectLabels("left", named.filter(({ share }) => share <= max / 2)),
        subjectLabels("right", named.filter(({ share }) => share > max / 2)), // inside the plot, too
      ],
    },
    {
      summary: `An even split sends every subject ${percent(1 / run.subjects.length, 0)} of the traffic; ${labels[1]} sends most to what converts best. The dashed line is y = x.`,
      signal,
      legend: legendOf(labels),
      data: {
        columns: [
          { title: "Subject", of: ({ subject }) => subject },
          { title: "World", of: ({ variant }) => variant },
          { title: "Share of traffic", numeric: true, of: ({ share }) => percent(share, 1) },
          { title: "Rate", numeric: true, of: ({ converts }) => rate(converts) },
        ],
        rows: values,
      },
    },
  );
}
