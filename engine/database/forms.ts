import type { Column, Form, LogicalType } from "./types.ts";

/** The form that two columns share, with what a user should know of it, or why there is none. */
export type Pairing = { form: Form; note?: string } | { form: undefined; reason: string };

/** The form in which the values of two paired columns are compared and carried; undefined where there is none. */
export function pairForm(source: Column, target: Column): Form | undefined {
  return pairColumns(source, target).form;
}

/** {@link pairForm} in words: a note, or the reason for the error that lists all columns that do not go together. */
export function pairColumns(source: Column, target: Column): Pairing {
  const form = sqliteForm(source, target) ?? commonForm(source, target) ?? commonForm(target, source);
  if (form === undefined) return { form, reason: reason(source, target) };
  const words = note(source.logical, target.logical, form);
  return words === undefined ? { form } : { form, note: `${source.name}: ${words}` };
}

/** Between two SQLite files everything travels as it is stored, unless neither column can hold anything but its type. */
function sqliteForm(source: Column, target: Column): Form | undefined {
  if (source.storage === undefined || target.storage === undefined) return undefined;
  return source.storage.exact && target.storage.exact ? undefined : "native";
}

/** The form for one order of the two; the other order is asked as well. */
function commonForm(one: Column, other: Column): Form | undefined {
  const [a, b] = [one.logical, other.logical];
  if (a.kind === b.kind) return sameKind(a, b);
  switch (a.kind) {
    case "any":
      return b.kind === "native" || b.kind === "interval" ? "text" : ownForm(b);
    case "integer":
      return b.kind === "decimal" ? "decimal" : b.kind === "boolean" ? "integer" : undefined;
    case "boolean":
      return b.kind === "bits" && b.length === 1 ? "boolean" : undefined;
    case "text":
      return textForm(one, b);
    default:
      return undefined;
  }
}

function sameKind(a: LogicalType, b: LogicalType): Form | undefined {
  switch (a.kind) {
    case "any":
      return "native";
    case "native":
      return b.kind === "native" && b.engine === a.engine && b.name === a.name ? "native" : undefined;
    case "time":
      return b.kind === "time" && b.zone === a.zone ? "time" : undefined;
    case "timestamp":
      return b.kind === "timestamp" && (a.zone || b.zone) ? "timestamptz" : "timestamp";
    case "json":
      // Two that keep the text keep it exactly.
      return b.kind === "json" && (a.binary || b.binary) ? "json" : "text";
    default:
      return ownForm(a);
  }
}

/** What a column of text has in common with another kind. */
function textForm(text: Column, other: LogicalType): Form | undefined {
  // SQLite has no types of its own for numbers and times: text is how it keeps them exactly.
  const kept = text.storage?.affinity === "text" ? ownForm(other) : undefined;
  switch (other.kind) {
    case "uuid":
      return "uuid";
    case "json":
      return other.binary ? "json" : "text";
    case "enum":
    case "native":
    case "interval":
    case "bits":
      return "text";
    case "time":
      return kept ?? (other.zone ? "text" : undefined);
    case "date":
    case "timestamp":
    case "decimal":
      return kept;
    default:
      return undefined;
  }
}

function ownForm(type: LogicalType): Form {
  switch (type.kind) {
    case "timestamp":
      return type.zone ? "timestamptz" : "timestamp";
    case "enum":
      return "text";
    case "json":
      return type.binary ? "json" : "text";
    case "interval":
    case "any":
      return "native";
    default:
      return type.kind;
  }
}

function note(a: LogicalType, b: LogicalType, form: Form): string | undefined {
  if (a.kind === "timestamp" && b.kind === "timestamp" && a.zone !== b.zone) {
    return "times of the side without a time zone are taken as UTC";
  }
  const text = a.kind === "text" || a.kind === "any" ? b : b.kind === "text" || b.kind === "any" ? a : undefined;
  if (text?.kind === "native") return `carried as the text that ${text.name} has on its server`;
  if (text?.kind === "interval") return "carried as the text that the interval has on its server";
  if (form === "text" && (text?.kind === "time" || text?.kind === "bits")) {
    return "carried as the text that it has on its server";
  }
  if (a.kind === "text" && b.kind === "text" && a.fixed !== b.fixed) return "trailing spaces are not kept";
  return undefined;
}

function reason(source: Column, target: Column): string {
  const kinds = [source.logical.kind, target.logical.kind];
  const words = `${source.name}: ${source.type} in the source and ${target.type} in the target`;
  if (kinds.includes("float") && (kinds.includes("decimal") || kinds.includes("integer"))) {
    return `${words} do not hold the same numbers`;
  }
  return `${words} have no form in common`;
}
