/** What a user's first file looks like. The test beside it compiles and runs this against the packed packages. */
import * as core from "@millrace/core";
import * as redis from "@millrace/redis-adapter";
import * as testing from "@millrace/testing";

const names = [core, redis, testing].map((module) => Object.keys(module).length);
process.stdout.write(`${JSON.stringify({ ok: names.length === 3 })}\n`);
