/** The data of every benchmark: orders as JSON of about 200 bytes, the same ones in every run. */
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";

export const PARTITIONS = 8;
const CUSTOMERS = 5_000;
const COUNTRIES = ["AT", "CH", "DE", "DK", "FR", "IT", "NL", "PL"] as const;
const FIRST_MS = Date.UTC(2025, 0, 1);

const orderFields = {
  orderId: t.string,
  customerId: t.string,
  sku: t.string,
  warehouse: t.string,
  quantity: t.number,
  cents: t.number,
  currency: t.string,
  country: t.string,
  createdAtMs: t.number,
};

export const Order = t.type(orderFields);
export type Order = t.TypeOf<typeof Order>;

/** What the transform makes of an order. */
export const Invoice = t.type({ ...orderFields, vatCents: t.number });
export type Invoice = t.TypeOf<typeof Invoice>;

/** The first `count` orders, ten ms apart. */
export function makeOrders(count: number): Order[] {
  return Array.from({ length: count }, (_, n) => ({
    orderId: `order-${String(n).padStart(10, "0")}`,
    customerId: `customer-${String((n * 7_919) % CUSTOMERS).padStart(6, "0")}`,
    sku: `sku-${String((n * 31) % 997).padStart(8, "0")}`,
    warehouse: `warehouse-${String(n % 12).padStart(2, "0")}`,
    quantity: 1 + (n % 9),
    cents: 100 + ((n * 101) % 99_900),
    currency: "EUR",
    country: COUNTRIES[n % COUNTRIES.length] ?? "DE",
    createdAtMs: FIRST_MS + 10 * n,
  }));
}

/** The transform. */
export function invoiceOf(order: Order): Invoice {
  return { ...order, vatCents: Math.round(order.cents * 0.19) };
}

/** The order in a text. Throws when there is none. */
export function parseOrder(text: string): Order {
  const decoded = Order.decode(JSON.parse(text));
  if (E.isLeft(decoded)) {
    throw new Error("an entry is not an order");
  }
  return decoded.right;
}

/** What was seen of the orders: enough to notice one that is missing, doubled or damaged. */
export class Tally {
  records = 0;
  private cents = 0;
  private hash = 0;

  see({ orderId, cents }: Order): void {
    this.records += 1;
    this.cents += cents;
    this.hash = (this.hash + Math.imul(Number(orderId.slice("order-".length)) + 1, 0x9e3779b1)) | 0;
  }

  /** Throws unless exactly the first `count` orders were seen, in any order. */
  check(what: string, count: number): void {
    const expected = new Tally();
    for (const order of makeOrders(count)) {
      expected.see(order);
    }
    if (this.records !== count || this.cents !== expected.cents || this.hash !== expected.hash) {
      throw new Error(`${what}: ${this.records} records of ${count}, or not the right ones`);
    }
  }
}
