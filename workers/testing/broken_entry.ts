/** A worker that never comes up. */
throw new Error("This worker cannot start");
