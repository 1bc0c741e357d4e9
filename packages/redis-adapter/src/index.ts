export { type RedisAdapterOptions, redisAdapter } from "./redis-adapter.ts";
