import { describeShare } from "./support/schedules.ts";

describeShare(3);
