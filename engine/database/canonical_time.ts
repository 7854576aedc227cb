/** Canonical texts of dates and times. Zero dates and times beyond a day, which MySQL has, pass: a target that has none refuses them. */

/** Canonical as it stands; the days that not every month has are looked at closely. */
const PLAIN_DATE = /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])$/;
const PLAIN_TIMESTAMP =
  /^(?!0000)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8]) (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d*[1-9])?$/;
const PLAIN_TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d*[1-9])?$/;

const DATE = /^(\d{4,7})-(\d\d)-(\d\d)(?:[ Tt]00:00(?::00(?:\.0*)?)?)?( BC)?$/;
const TIMESTAMP =
  /^(\d{4,7})-(\d\d)-(\d\d)(?:[ Tt](\d\d):(\d\d)(?::(\d\d)(?:\.(\d*))?)?)?( ?[+-]\d\d(?::?\d\d){0,2}| ?[Zz])?( BC)?$/;
const TIME = /^(-?)(\d{2,3}):(\d\d)(?::(\d\d)(?:\.(\d*))?)?( ?[+-]\d\d(?::?\d\d){0,2}| ?[Zz])?$/;

const MONTH_DAYS = [31, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export function canonicalDate(text: string): string | undefined {
  if (PLAIN_DATE.test(text) || isInfinite(text)) return text;
  const parts = DATE.exec(text);
  if (parts === null || !isDay(parts[1], parts[2], parts[3], parts[4] !== undefined)) return undefined;
  return `${year(parts[1])}-${parts[2]}-${parts[3]}${parts[4] ?? ""}`;
}

export function canonicalTimestamp(text: string): string | undefined {
  if (PLAIN_TIMESTAMP.test(text) || isInfinite(text)) return text;
  const moment = readMoment(text);
  // Another offset than UTC cannot be dropped without changing what the text means.
  return moment === undefined || moment.offset !== 0 ? undefined : write(moment);
}

export function canonicalTimestamptz(text: string): string | undefined {
  const utc = text.endsWith("+00") ? text.slice(0, -3) : text;
  if (PLAIN_TIMESTAMP.test(utc) || isInfinite(text)) return utc;
  const moment = readMoment(text);
  if (moment === undefined || moment.offset === 0) return moment && write(moment);
  return moment.month === "00" || moment.day === "00" ? undefined : write(shift(moment));
}

export function canonicalTime(text: string): string | undefined {
  if (PLAIN_TIME.test(text)) return text;
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const [, sign, hour, minute, second = "00", digits = "", zone] = parts;
  const offset = readOffset(zone);
  if (Number(hour) > 838 || minute > "59" || second > "59" || offset === undefined) return undefined;
  if (zone !== undefined && (sign !== "" || Number(hour) > 24)) return undefined;
  const time = `${hour.length === 3 ? hour.replace(/^0/, "") : hour}:${minute}:${second}${fraction(digits)}`;
  const zero = !/[1-9]/.test(time);
  return `${zero ? "" : sign}${time}${zone === undefined ? "" : writeOffset(offset)}`;
}

interface Moment {
  year: string;
  month: string;
  day: string;
  /** `HH:MM:SS` */
  time: string;
  /** With its point, or empty. */
  fraction: string;
  /** Seconds east of UTC. */
  offset: number;
  beforeChrist: boolean;
}

function readMoment(text: string): Moment | undefined {
  const parts = TIMESTAMP.exec(text);
  if (parts === null) return undefined;
  const [, written, month, day, hour = "00", minute = "00", second = "00", digits = "", zone, bc] = parts;
  const offset = readOffset(zone);
  if (!isDay(written, month, day, bc !== undefined) || hour > "23" || minute > "59" || second > "59") return undefined;
  if (offset === undefined) return undefined;
  const time = `${hour}:${minute}:${second}`;
  return { year: year(written), month, day, time, fraction: fraction(digits), offset, beforeChrist: bc !== undefined };
}

function write({ year, month, day, time, fraction, beforeChrist }: Moment): string {
  return `${year}-${month}-${day} ${time}${fraction}${beforeChrist ? " BC" : ""}`;
}

/** The same moment in UTC. */
function shift(moment: Moment): Moment {
  const { month, day, time, fraction, offset, beforeChrist } = moment;
  const date = new Date(0);
  const astronomical = beforeChrist ? 1 - Number(moment.year) : Number(moment.year);
  // A Date holds years up to 275760; 400 years are a whole number of days in which the calendar repeats.
  const cycles = Math.floor(astronomical / 400);
  const [hours, minutes, seconds] = time.split(":").map(Number);
  date.setUTCFullYear(astronomical - cycles * 400 + 2000, Number(month) - 1, Number(day));
  date.setUTCHours(hours, minutes, seconds - offset);
  const result = date.getUTCFullYear() - 2000 + cycles * 400;
  const two = (value: number) => String(value).padStart(2, "0");
  return {
    year: String(result < 1 ? 1 - result : result).padStart(4, "0"),
    month: two(date.getUTCMonth() + 1),
    day: two(date.getUTCDate()),
    time: date.toISOString().slice(11, 19),
    fraction,
    offset: 0,
    beforeChrist: result < 1,
  };
}

function isInfinite(text: string): boolean {
  return text === "infinity" || text === "-infinity";
}

function isDay(year: string, month: string, day: string, beforeChrist: boolean): boolean {
  const number = beforeChrist ? 1 - Number(year) : Number(year);
  if (month > "12" || Number(day) > MONTH_DAYS[Number(month)] || (beforeChrist && number === 1)) return false;
  if (month !== "02" || day !== "29") return true;
  return number % 4 === 0 && (number % 100 !== 0 || number % 400 === 0);
}

function year(digits: string): string {
  return digits.length === 4 ? digits : digits.replace(/^0+/, "").padStart(4, "0");
}

function fraction(digits: string): string {
  const kept = digits.replace(/0+$/, "");
  return kept === "" ? "" : `.${kept}`;
}

function readOffset(zone: string | undefined): number | undefined {
  if (zone === undefined || /[Zz]/.test(zone)) return 0;
  const [, sign, hours, minutes = "00", seconds = "00"] = /([+-])(\d\d):?(\d\d)?:?(\d\d)?$/.exec(zone)!;
  if (Number(hours) > 15 || minutes > "59" || seconds > "59") return undefined;
  const total = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  return sign === "-" ? 0 - total : total;
}

function writeOffset(offset: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const total = Math.abs(offset);
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const tail = seconds > 0 ? `:${two(minutes)}:${two(seconds)}` : minutes > 0 ? `:${two(minutes)}` : "";
  return `${offset < 0 ? "-" : "+"}${two(hours)}${tail}`;
}
