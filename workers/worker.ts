/** The entry of the pool's workers. */
import { whileWaiting } from "../engine/cloud/within_limit.ts";
import { serve } from "./serve.ts";
import { tasks } from "./tasks/mod.ts";

whileWaiting(serve(tasks));
