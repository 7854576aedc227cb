/** What zod found wrong, as one line that names each field. */
import type { core } from "zod";

const MAX_ISSUES = 10;
const MAX_NAME = 64;

/** At most ten findings, such as `"maxDelete" must be at least 0; "dryrun" is not a field here`. */
export function describeIssues(issues: readonly core.$ZodIssue[]): string {
  const lines = issues.slice(0, MAX_ISSUES).map(describeIssue);
  if (issues.length > MAX_ISSUES) lines.push(`and ${issues.length - MAX_ISSUES} more`);
  return lines.join("; ");
}

function describeIssue(issue: core.$ZodIssue): string {
  const field = issue.path.length === 0 ? "The request" : quote(issue.path.map(String).join("."));
  switch (issue.code) {
    case "unrecognized_keys": {
      const names = issue.keys.slice(0, MAX_ISSUES).map((name) => quote([...issue.path.map(String), name].join(".")));
      return `${names.join(", ")} ${names.length === 1 ? "is not a field" : "are not fields"} here`;
    }
    case "invalid_type":
      return issue.message === "Invalid input: expected " + issue.expected + ", received undefined"
        ? `${field} is required`
        : `${field} must be of type ${issue.expected}${received(issue.message)}`;
    case "invalid_value":
      return `${field} must be ${issue.values.length === 1 ? "" : "one of "}${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `${field} must ${measure(issue.origin, "at least", issue.minimum)}`;
    case "too_big":
      return `${field} must ${measure(issue.origin, "at most", issue.maximum)}`;
    default:
      return `${field} ${issue.message}`;
  }
}

function received(message: string): string {
  const match = /received (\w+)$/.exec(message);
  return match === null ? "" : `, not ${match[1]}`;
}

function measure(origin: string, bound: string, limit: number | bigint): string {
  if (origin === "string") return `have ${bound} ${limit} characters`;
  if (origin === "array" || origin === "set") return `have ${bound} ${limit} items`;
  return `be ${bound} ${limit}`;
}

/** The client's own words, cut short and in printable characters. */
function quote(name: string): string {
  const short = name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
  return JSON.stringify(short);
}
