import type { DatabaseConflictStrategy } from "../request.ts";

/** A row's hash, or undefined where there is no such row. */
export type RowState = bigint | undefined;
export type Side = "source" | "target";
export type Change = "insert" | "update" | "delete";

export interface DecisionRules {
  twoWay: boolean;
  strategy: DatabaseConflictStrategy;
  deleteMissing: boolean;
  /** Without one, nobody knows who changed what. */
  hasBaseline: boolean;
}

/** A side's row takes the other side's value. */
export interface WriteDecision {
  action: "write";
  side: Side;
  change: Change;
  conflict?: string;
}

export type Verdict =
  | WriteDecision
  /** Both have it and changed it: whoever wrote later wins, which takes the rows to know. */
  | { action: "newest"; conflict: string }
  /** Left as both are. */
  | { action: "leave"; conflict: string; resolution: "source" | "target" | "unresolved" };

/** `none`: both are the same, or it is not to be touched; `agreed` says which. */
export type Decision = Verdict | { action: "none"; agreed: boolean };

/** What becomes of a row of which the source has `source`, the target `target`, and the last run left `base`. */
export function decide(source: RowState, target: RowState, base: RowState, rules: DecisionRules): Decision {
  if (source === target) return { action: "none", agreed: true };
  return rules.twoWay ? decideBoth(source, target, base, rules) : decideTarget(source, target, base, rules);
}

function decideTarget(source: RowState, target: RowState, base: RowState, rules: DecisionRules): Decision {
  if (source === undefined && !rules.deleteMissing) return { action: "none", agreed: false };
  if (!rules.hasBaseline || target === base) return write("target", source, target);
  const conflict = kind(source, target, base);
  switch (rules.strategy) {
    case "SourceWins":
      return write("target", source, target, conflict);
    case "TargetWins":
      return { action: "leave", conflict, resolution: "target" };
    case "Manual":
      return { action: "leave", conflict, resolution: "unresolved" };
    case "LastWriteWins":
      if (source !== undefined && target !== undefined) return { action: "newest", conflict };
      // A row that is gone says nothing of when: what is there stays.
      if (source === undefined) return { action: "leave", conflict, resolution: "target" };
      return write("target", source, target, conflict);
  }
}

function decideBoth(source: RowState, target: RowState, base: RowState, rules: DecisionRules): Decision {
  if (source === base && base !== undefined) return oneChanged("source", target, source, rules);
  if (target === base && base !== undefined) return oneChanged("target", source, target, rules);
  if (base === undefined && (source === undefined || target === undefined)) {
    return source === undefined ? write("source", target, source) : write("target", source, target);
  }
  const conflict = kind(source, target, base);
  if (rules.strategy === "Manual") return { action: "leave", conflict, resolution: "unresolved" };
  // Deleted here and edited there: the edit is kept.
  if (source === undefined) return write("source", target, source, conflict);
  if (target === undefined) return write("target", source, target, conflict);
  switch (rules.strategy) {
    case "SourceWins":
      return write("target", source, target, conflict);
    case "TargetWins":
      return write("source", target, source, conflict);
    case "LastWriteWins":
      return { action: "newest", conflict };
  }
}

/** Only the other side changed it, to `to`. */
function oneChanged(side: Side, to: RowState, from: RowState, rules: DecisionRules): Decision {
  if (to === undefined && !rules.deleteMissing) return { action: "none", agreed: false };
  return write(side, to, from);
}

/** @param to what the side's row shall be, `from` what it is */
export function write(side: Side, to: RowState, from: RowState, conflict?: string): WriteDecision {
  const change = to === undefined ? "delete" : from === undefined ? "insert" : "update";
  return conflict === undefined ? { action: "write", side, change } : { action: "write", side, change, conflict };
}

/** What happened to a row on the two sides since the last run: `modified-deleted`, the source's first. */
function kind(source: RowState, target: RowState, base: RowState): string {
  return `${happened(source, base)}-${happened(target, base)}`;
}

function happened(now: RowState, base: RowState): string {
  if (base === undefined) return now === undefined ? "absent" : "added";
  if (now === undefined) return "deleted";
  return now === base ? "unchanged" : "modified";
}
