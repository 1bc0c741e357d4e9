import { describeShare } from "./support/schedules.ts";

describeShare(0);
