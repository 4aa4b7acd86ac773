/** What the e-mail world's figures look like. */

import { chart, variantColour } from "../../charts.js";
import { count, percent, rate } from "../../format.js";

/** Conversions of everybody as the campaign goes on, with the range of single campaigns. */
export function conversionsOverTime(run, names, signal) {
  const lines = [...run.policies.map((played, i) => [names[i], played]), ["Even split", run.even_split]];
  const values = lines.flatMap(([variant, { over_time: over }]) =>
    run.emails_at.map((emails, i) => ({ variant, emails, mean: over.conversions[i], low: over.conversions_low[i], high: over.conversions_high[i] })),
  );
  const x = { field: "emails", type: "quantitative", title: "e-mails sent", scale: { domain: [0, run.request.emails], nice: false } };
  const colour = variantColour(lines.map(([name]) => name));
  const every = Math.ceil(run.emails_at.length / 20);
  return chart(
    "Conversions so far, everybody",
    {
      data: { values },
      encoding: { x, color: colour },
      layer: [
        { mark: { type: "area", opacity: 0.18 }, encoding: { y: { field: "low", type: "quantitative", title: "conversions" }, y2: { field: "high" } } },
        { mark: { type: "line", strokeWidth: 2.5 }, encoding: { y: { field: "mean", type: "quantitative" } } },
      ],
    },
    {
      summary: `${lines.map(([name, { conversions }]) => `${name} ends at ${count(Math.round(conversions.mean))}`).join(", ")}. Bands hold 95 % of single campaigns.`,
      signal,
      figures: {
        columns: [{ title: "E-mails", of: ({ emails }) => count(emails) }, ...lines.map(([name, { over_time: over }]) => ({ title: name, figure: true, of: ({ i }) => count(over.conversions[i]) }))],
        rows: run.emails_at.map((emails, i) => ({ emails, i })).filter(({ i }) => (i + 1) % every === 0),
      },
    },
  );
}

/** How often each subject was sent in a world: conversions, and the rest. */
export function traffic({ title, who, played }, run, signal) {
  const values = played.subjects.flatMap(({ name, sent, conversions }) => [
    { subject: name, part: "converted", emails: conversions },
    { subject: name, part: "did not", emails: sent - conversions },
  ]);
  const most = Math.max(...[run.even_split, ...run.policies].flatMap(({ subjects }) => subjects.map(({ sent }) => sent)));
  return chart(
    `Traffic: ${title.toLowerCase()}`,
    {
      data: { values },
      height: Math.max(140, 34 * played.subjects.length),
      mark: { type: "bar", cornerRadiusEnd: 2 },
      encoding: {
        y: { field: "subject", type: "nominal", sort: null, title: null, axis: { labelLimit: 150, domain: false, ticks: false } },
        x: { field: "emails", type: "quantitative", title: "e-mails", scale: { domain: [0, most], nice: true }, axis: { tickCount: 4 } },
        color: { field: "part", type: "nominal", sort: null, title: null },
        opacity: { condition: { test: "datum.part === 'did not'", value: 0.45 }, value: 1 },
        order: { field: "part", sort: "ascending" },
      },
    },
    {
      summary: `${who}: ${played.subjects.map(({ name, sent, conversions }) => `${name} ${count(sent)} sent, ${count(conversions)} converted`).join("; ")}.`,
      signal,
      figures: {
        columns: [
          { title: "Subject", of: ({ name }) => name },
          { title: "Converted", figure: true, of: ({ conversions }) => count(conversions) },
          { title: "Did not", figure: true, of: ({ sent, conversions }) => count(sent - conversions) },
          { title: "Sent", figure: true, of: ({ sent }) => count(sent) },
        ],
        rows: played.subjects,
      },
    },
  );
}

/** Each subject's part of the traffic against its rate: above the line y = x it converts more than it was sent. */
export function dynamics(run, pair, signal) {
  const values = pair.flatMap(({ who, played }) =>
    played.subjects.filter((one) => one.rate !== null).map(({ name, share, rate: converts }) => ({ variant: who, subject: name, share, converts })),
  );
  const most = Math.max(...values.flatMap(({ share, converts }) => [share, converts])) * 1.05;
  const axis = (field, title) => ({ field, type: "quantitative", title, axis: { format: ".0%" }, scale: { domain: [0, most], nice: false } });
  return chart(
    "Reward dynamics: where the traffic goes, and what converts",
    {
      height: 320,
      layer: [
        { data: { values: [{ share: 0, converts: 0 }, { share: most, converts: most }] }, mark: { type: "line", strokeDash: [5, 4], strokeWidth: 1.2, opacity: 0.6 }, encoding: { x: axis("share", "share of the traffic"), y: axis("converts", "rate") } },
        { data: { values }, mark: { type: "point", filled: true, size: 130, opacity: 0.9 }, encoding: { x: axis("share"), y: axis("converts"), color: variantColour(pair.map(({ who }) => who)), tooltip: [{ field: "subject" }, { field: "share", format: ".1%" }, { field: "converts", format: ".2%", title: "rate" }] } },
        { data: { values }, mark: { type: "text", align: "left", dx: 9, fontSize: 11, limit: 140 }, encoding: { x: axis("share"), y: axis("converts"), text: { field: "subject" } }, transform: [{ filter: `datum.variant == ${JSON.stringify(pair[1].who)}` }] },
      ],
    },
    {
      summary: `An even split sends every subject ${percent(1 / run.subjects.length, 0)} of the traffic; ${pair[1].who} sends most to what converts best. The dashed line is y = x.`,
      signal,
      figures: {
        columns: [
          { title: "Subject", of: ({ subject }) => subject },
          { title: "World", of: ({ variant }) => variant },
          { title: "Share of traffic", figure: true, of: ({ share }) => percent(share, 1) },
          { title: "Rate", figure: true, of: ({ converts }) => rate(converts) },
        ],
        rows: values,
      },
    },
  );
}

