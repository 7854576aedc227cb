/** The entry of the pool's workers. */
import { serve } from "./serve.ts";
import { tasks } from "./tasks/mod.ts";

serve(tasks);
