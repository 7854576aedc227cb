/** The entry of the workers for runs between databases. With the other tasks it would take more than twice the memory. */
import { runDatabase } from "../engine/database/run/run.ts";
import { serve } from "./serve.ts";

serve({ "database.run": runDatabase });
