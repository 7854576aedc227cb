/** A worker that serves the test tasks. */
import { serve } from "../serve.ts";
import { testTasks } from "./tasks.ts";

serve(testTasks);
