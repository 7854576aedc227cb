/** Tasks that behave and misbehave on order. */
import process from "node:process";
import type { TaskContext, TaskMapOf } from "../types.ts";

/** Words that a test and a task share: the task counts up the first, and goes on once the second is set. */
export type Gate = Int32Array<SharedArrayBuffer>;

const STARTED = 0;
const OPEN = 1;

export function newGate(): { words: Gate; started(): boolean; open(): void } {
  const words: Gate = new Int32Array(new SharedArrayBuffer(8));
  return {
    words,
    started: () => Atomics.load(words, STARTED) > 0,
    open: () => {
      Atomics.store(words, OPEN, 1);
      Atomics.notify(words, OPEN);
    },
  };
}

function fillHeap(): never {
  const all: unknown[] = [];
  for (;;) all.push({ some: "thing", more: [all.length] });
}

const never = () => new Promise<never>(() => {});

export const testTasks = {
  echo: (input: { value: unknown }) => input.value,
  echoLater: async (input: { value: unknown }) => {
    await Promise.resolve();
    return input.value;
  },
  fail: (input: { name: string; message: string; properties: Record<string, unknown> }): never => {
    const error = new Error(input.message, { cause: new RangeError("below it") });
    throw Object.assign(error, { name: input.name }, input.properties);
  },
  throwText: (): never => {
    throw "just text";
  },
  answerFunction: (): unknown => () => {},
  /** Adds `by` to counter `index`. */
  count: (input: { index: number; by: bigint }, context: TaskContext) =>
    Atomics.add(context.counters, input.index, input.by),
  report: (input: { upTo: number }, context: TaskContext<number>) => {
    for (let i = 1; i <= input.upTo; i++) context.progress(i);
    return input.upTo;
  },
  reportWhatCannotBeSent: (_: null, context: TaskContext<unknown>) => context.progress(() => {}),
  /** Appends to a shared list whose word 0 is its length. */
  append: (input: { list: Int32Array<SharedArrayBuffer>; value: number }) => {
    Atomics.store(input.list, Atomics.add(input.list, 0, 1) + 1, input.value);
  },
  /** Computes with checkpoints until the gate opens; never yields to the event loop. */
  block: (input: { gate: Gate }, context: Pick<TaskContext, "checkpoint">): void => {
    Atomics.add(input.gate, STARTED, 1);
    while (Atomics.load(input.gate, OPEN) === 0) {
      context.checkpoint();
      Atomics.wait(input.gate, OPEN, 0, 2);
    }
  },
  reportThenBlock: (input: { gate: Gate }, context: TaskContext<string>): void => {
    context.progress("here");
    testTasks.block(input, context);
  },
  /** Like `block`, but without a checkpoint: it neither sees its cancellation nor shows that it lives. */
  hang: (input: { gate: Gate }) => {
    Atomics.add(input.gate, STARTED, 1);
    while (Atomics.load(input.gate, OPEN) === 0) Atomics.wait(input.gate, OPEN, 0, 2);
    return "came to its end";
  },
  /** As `hang`, but it said that it may take long. */
  hangPatiently: (input: { gate: Gate }, context: TaskContext) => context.patiently(() => testTasks.hang(input)),
  work: (input: { ms: number }, context: TaskContext) => {
    for (const end = performance.now() + input.ms; performance.now() < end;) context.checkpoint();
  },
  /** Waits for its signal. */
  wait: (input: { gate: Gate }, context: TaskContext) =>
    new Promise((_, reject) => {
      context.signal.addEventListener("abort", () => reject(context.signal.reason));
      Atomics.add(input.gate, STARTED, 1);
    }),
  neverSettle: never,
  exit: (input: { code: number }) => process.exit(input.code),
  /** Lets an error reach the event loop while the task still runs. */
  crash: (input: { by: "rejection" | "timer"; message: string }) => {
    const error = Object.assign(new Error(input.message), { code: "ECRASH" });
    if (input.by === "rejection") void Promise.reject(error);
    else {setTimeout(() => {
        throw error;
      }, 1);}
    return never();
  },
  exhaust: (input: { from: "task" | "microtask" | "timer" }) => {
    if (input.from === "task") fillHeap();
    if (input.from === "microtask") return Promise.resolve().then(fillHeap);
    setTimeout(fillHeap, 0);
    return never();
  },
};

export type TestTasks = TaskMapOf<typeof testTasks>;
