import { describePortsConformance } from "../src/conformance.ts";
import { memoryTarget } from "./support/memory-target.ts";

describePortsConformance({ name: "memory adapter", make: async () => memoryTarget() });
