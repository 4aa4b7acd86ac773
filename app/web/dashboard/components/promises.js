/** What variants are promised whatever the data say: a floor for all, and floors and fixed shares of single ones. */

import { formField } from "./form.js";
import { h, replace } from "../dom.js";
import { table } from "./table.js";
import { dot } from "./shares.js";
import { named } from "./names.js";

/** Fields for `min_share` and `fixed_share`; those of single variants are made when they are looked at. */
export function promiseFields({ min_share: floor, fixed_share: fixed = {} }, variants) {
  const floors = isObject(floor) ? floor : {};
  const all = formField({
    name: "min_share", label: "Floor, percent", kind: "number", min: 0, max: 100, value: isObject(floor) ? 0 : floor,
    hint: "What every variant keeps, whatever the data say.",
  });
  const place = h("div");
  const single = h("details", { class: "more-settings wide", ontoggle: () => single.open && make() }, h("summary", {}, "Floors and fixed shares of single variants"), place);
  let rows = [];
  if (Object.values(floors).some(Boolean) || Object.keys(fixed).length) make();
  return {
    element: [all.element, variants.length > 0 && single],
    fields: () => [...rows.flatMap((row) => [row.floor, row.fixed]), all],
    values: () => (rows.length ? { min_share: floorOrFloors(), fixed_share: fixedShares() } : { min_share: all.value() }),
  };

  function make() {
    if (rows.length) return;
    rows = variants.map((variant, place) => ({
      variant: { ...variant, place },
      floor: bare(`min_share.${variant.variant_id}`, `Floor of ${variant.variant_id}, percent`, floors[variant.variant_id] || null),
      fixed: bare(`fixed_share.${variant.variant_id}`, `Fixed share of ${variant.variant_id}, percent`, fixed[variant.variant_id]),
    }));
    replace(place, promised(rows));
    single.open = true;
  }

  /** One floor for all as long as no variant has its own; left empty, a variant keeps the floor of all. */
  function floorOrFloors() {
    const own = rows.map(({ variant, floor: field }) => [variant.variant_id, field.value()]);
    if (own.every(([, percent]) => percent === null)) return all.value();
    const kept = own.map(([id, percent]) => [id, percent ?? all.value() ?? 0]);
    return Object.fromEntries(kept.filter(([id, percent]) => percent !== 0 || id in floors));
  }

  /** A share that was taken away is null, which is how a merge-patch says so. */
  function fixedShares() {
    const own = rows.map(({ variant, fixed: field }) => [variant.variant_id, field.value()]);
    return Object.fromEntries(own.filter(([id, percent]) => percent !== null || id in fixed));
  }
}

const promised = (rows) => [
  h("p", { class: "hint" }, "Percent of traffic. A variant without a floor of its own keeps that of all; a fixed share is given exactly, and the policy divides the rest."),
  table(
    "Floors and fixed shares",
    [
      { title: "Variant", of: ({ variant }) => [dot(variant.place), " ", named(variant.name, variant.variant_id)] },
      { title: "Floor", of: ({ floor }) => floor.element },
      { title: "Fixed share", of: ({ fixed }) => fixed.element },
    ],
    rows,
  ),
];

/** A field in a table, whose header says to those who see it what its label says to the others. */
function bare(name, label, value) {
  const field = formField({ name, label, kind: "number", min: 0, max: 100, value });
  field.element.querySelector("label").classList.add("visually-hidden");
  return field;
}

const isObject = (value) => typeof value === "object" && value !== null;
