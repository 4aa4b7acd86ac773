/** Constraints on the shares that hold whatever the data are: a floor for all variants, floors and fixed shares of single ones. */

import { h, replace } from "../../dom.js";
import { table } from "../data/table.js";
import { nameWithId } from "../experiment/names.js";
import { dot } from "../experiment/share-bar.js";
import { formField } from "../forms/form.js";

/** Fields for `min_share` and `fixed_share`; those of single variants are created when that section is opened. */
export function shareConstraintFields({ min_share: floor, fixed_share: fixed = {} }, variants) {
  const floors = isObject(floor) ? floor : {};
  const common = formField({
    name: "min_share", label: "Floor, percent", kind: "number", min: 0, max: 100, value: isObject(floor) ? 0 : floor,
    hint: "What every variant gets at least, whatever the data are.",
  });
  const content = h("div");
  const single = h("details", { class: "more-settings wide", ontoggle: () => single.open && createRows() }, h("summary", {}, "Floors and fixed shares of single variants"), content);
  let rows = [];
  if (Object.values(floors).some(Boolean) || Object.keys(fixed).length) createRows();
  return {
    element: [common.element, variants.length > 0 && single],
    fields: () => [...rows.flatMap((row) => [row.floor, row.fixed]), common],
    values: () => (rows.length ? { min_share: floorOrFloors(), fixed_share: fixedShares() } : { min_share: common.value() }),
  };

  function createRows() {
    if (rows.length) return;
    rows = variants.map((variant, index) => ({
      variant: { ...variant, index },
      floor: unlabelledField(`min_share.${variant.variant_id}`, `Floor of ${variant.variant_id}, percent`, floors[variant.variant_id] || null),
      fixed: unlabelledField(`fixed_share.${variant.variant_id}`, `Fixed share of ${variant.variant_id}, percent`, fixed[variant.variant_id]),
    }));
    replace(content, constraintTable(rows));
    single.open = true;
  }

  /** One floor for all as long as no variant has its own; an empty field means the common one. */
  function floorOrFloors() {
    const own = rows.map(({ variant, floor: field }) => [variant.variant_id, field.value()]);
    if (own.every(([, percent]) => percent === null)) return common.value();
    const effective = own.map(([id, percent]) => [id, percent ?? common.value() ?? 0]);
    return Object.fromEntries(effective.filter(([id, percent]) => percent !== 0 || id in floors));
  }

  /** A share that was removed is null, as in a merge-patch. */
  function fixedShares() {
    const own = rows.map(({ variant, fixed: field }) => [variant.variant_id, field.value()]);
    return Object.fromEntries(own.filter(([id, percent]) => percent !== null || id in fixed));
  }
}

const constraintTable = (rows) => [
  h("p", { class: "hint" }, "Percent of traffic. A variant without a floor of its own has the common one; a fixed share is given exactly, and the policy divides the rest."),
  table(
    "Floors and fixed shares",
    [
      { title: "Variant", of: ({ variant }) => [dot(variant.index), " ", nameWithId(variant.name, variant.variant_id)] },
      { title: "Floor", of: ({ floor }) => floor.element },
      { title: "Fixed share", of: ({ fixed }) => fixed.element },
    ],
    rows,
  ),
];

/** A field in a table, where the column's header takes the place of its visible label. */
function unlabelledField(name, label, value) {
  const field = formField({ name, label, kind: "number", min: 0, max: 100, value });
  field.element.querySelector("label").classList.add("visually-hidden");
  return field;
}

const isObject = (value) => typeof value === "object" && value !== null;
