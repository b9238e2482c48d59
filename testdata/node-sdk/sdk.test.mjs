// Drives an Appwrite server through Appwrite's own Node SDK: databases, TablesDB
// and transactions. The server is named by APPWRITE_ENDPOINT,
// APPWRITE_PROJECT_ID and APPWRITE_API_KEY, as `backstep dev` prints them.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  AppwriteException, Client, Databases, DatabasesIndexType, ID, Operator, Permission, Query,
  RelationMutate, RelationshipType, Role, TablesDB, TablesDBIndexType,
} from "node-appwrite";

const client = new Client()
  .setEndpoint(process.env.APPWRITE_ENDPOINT)
  .setProject(process.env.APPWRITE_PROJECT_ID)
  .setKey(process.env.APPWRITE_API_KEY);
const databases = new Databases(client);
const tables = new TablesDB(client);

// Polls a list until every element is available: single reads may be stale.
async function available(list, field) {
  const deadline = Date.now() + 10_000;
  while (Date.now() < deadline) {
    const elements = (await list())[field];
    assert.ok(elements.every(({ status }) => status === "processing" || status === "available"));
    if (elements.every(({ status }) => status === "available")) return elements;
    await sleep(5);
  }
  assert.fail(`${field} did not become available`);
}

// Polls a list until it is empty.
async function gone(list, field) {
  const deadline = Date.now() + 10_000;
  while ((await list())[field].length > 0) {
    assert.ok(Date.now() < deadline, `${field} did not go away`);
    await sleep(5);
  }
}

// Expects an AppwriteException with this code and type.
function refused(code, type) {
  return (error) => {
    assert.ok(error instanceof AppwriteException, String(error));
    assert.deepEqual({ code: error.code, type: error.type }, { code, type });
    return true;
  };
}

describe("Databases", () => {
  const databaseId = "sdk_legacy";
  const at = { databaseId, collectionId: "books" };

  before(async () => {
    await databases.create({ databaseId, name: "SDK" });
    await databases.createCollection({ ...at, name: "Books", permissions: [Permission.read(Role.any())] });
  });
  after(() => databases.delete({ databaseId }));

  test("attributes of every type become available", async () => {
    await databases.createStringAttribute({ ...at, key: "title", size: 200, required: true });
    await databases.createIntegerAttribute({ ...at, key: "pages", required: false, min: 1, max: 10_000 });
    await databases.createFloatAttribute({ ...at, key: "price", required: false, xdefault: 9.5 });
    await databases.createBooleanAttribute({ ...at, key: "inPrint", required: false, xdefault: true });
    await databases.createDatetimeAttribute({ ...at, key: "published", required: false });
    await databases.createEmailAttribute({ ...at, key: "contact", required: false });
    await databases.createUrlAttribute({ ...at, key: "site", required: false });
    await databases.createIpAttribute({ ...at, key: "host", required: false });
    await databases.createEnumAttribute({ ...at, key: "cover", elements: ["hard", "soft"], required: false });
    await databases.createStringAttribute({ ...at, key: "tags", size: 20, required: false, array: true });
    const attributes = await available(() => databases.listAttributes(at), "attributes");
    assert.equal(attributes.length, 10);
    assert.deepEqual(attributes.find(({ key }) => key === "cover").elements, ["hard", "soft"]);
  });

  test("an index becomes available and a second of its key is refused", async () => {
    const index = { ...at, key: "by_title", type: DatabasesIndexType.Unique, attributes: ["title"] };
    await databases.createIndex(index);
    await available(() => databases.listIndexes(at), "indexes");
    await assert.rejects(databases.createIndex(index), refused(409, "index_already_exists"));
  });

  test("documents are created, read, changed and deleted", async () => {
    const created = await databases.createDocument({
      ...at, documentId: "dune", data: { title: "Dune", pages: 412, tags: ["sf"], published: "1965-08-01" },
    });
    assert.equal(created.price, 9.5);
    assert.equal(created.published, "1965-08-01T00:00:00.000+00:00");
    const document = { ...at, documentId: "dune" };
    assert.equal((await databases.updateDocument({ ...document, data: { pages: 500 } })).title, "Dune");
    assert.equal((await databases.incrementDocumentAttribute({ ...document, attribute: "pages", value: 7 })).pages, 507);
    await assert.rejects(
      databases.createDocument({ ...at, documentId: ID.unique(), data: { title: "dune" } }),
      refused(409, "document_already_exists"));
    await assert.rejects(
      databases.createDocument({ ...at, documentId: ID.unique(), data: { title: "Emma", cover: "none" } }),
      refused(400, "document_invalid_structure"));
    await databases.deleteDocument(document);
    await assert.rejects(databases.getDocument(document), refused(404, "document_not_found"));
  });

  test("bulk writes and queries with cursors", async () => {
    const documents = Array.from({ length: 60 }, (_, n) => ({ $id: `b${n}`, title: `Book ${n}`, pages: n + 1 }));
    assert.equal((await databases.createDocuments({ ...at, documents })).total, 60);
    const seen = [];
    for (let cursor; ;) {
      const queries = [Query.orderDesc("pages"), Query.limit(25), Query.select(["title"])];
      if (cursor) queries.push(Query.cursorAfter(cursor));
      const page = await databases.listDocuments({ ...at, queries });
      if (page.documents.length === 0) break;
      seen.push(...page.documents.map(({ $id }) => $id));
      cursor = seen.at(-1);
    }
    assert.deepEqual(seen, documents.map(({ $id }) => $id).reverse());
    const half = [Query.lessThanEqual("pages", 30)];
    assert.equal((await databases.updateDocuments({ ...at, data: { inPrint: false }, queries: half })).total, 30);
    const filter = [Query.or([Query.equal("inPrint", [false]), Query.startsWith("title", "Book 59")])];
    assert.equal((await databases.listDocuments({ ...at, queries: filter })).total, 31);
    assert.equal((await databases.deleteDocuments({ ...at, queries: half })).total, 30);
  });

  test("a wrong key is refused", async () => {
    const stranger = new Databases(new Client()
      .setEndpoint(process.env.APPWRITE_ENDPOINT)
      .setProject(process.env.APPWRITE_PROJECT_ID)
      .setKey("wrong"));
    await assert.rejects(stranger.list(), refused(401, "user_unauthorized"));
  });
});

describe("TablesDB", () => {
  const databaseId = "sdk_tables";
  const at = { databaseId, tableId: "people" };

  before(async () => {
    await tables.create({ databaseId, name: "SDK" });
    await tables.createTable({
      ...at, name: "People",
      columns: [
        { key: "name", type: "string", size: 100, required: true },
        { key: "age", type: "integer", required: false, min: 0 },
      ],
      indexes: [{ key: "by_age", type: "key", attributes: ["age"] }],
    });
  });
  after(() => tables.delete({ databaseId }));

  test("an inline schema is there at once", async () => {
    const table = await tables.getTable(at);
    assert.deepEqual(table.columns.map(({ key, status }) => [key, status]), [["name", "available"], ["age", "available"]]);
    assert.deepEqual(table.indexes.map(({ key, columns }) => [key, columns]), [["by_age", ["age"]]]);
  });

  test("columns are added, changed, renamed and dropped", async () => {
    await tables.createVarcharColumn({ ...at, key: "city", size: 40, required: false });
    await tables.createBigIntColumn({ ...at, key: "score", required: false });
    await tables.createPointColumn({ ...at, key: "home", required: false });
    await available(() => tables.listColumns(at), "columns");
    await tables.updateVarcharColumn({ ...at, key: "city", required: false, xdefault: "Rome", newKey: "town" });
    const row = await tables.createRow({ ...at, rowId: "ada", data: { name: "Ada", home: [1.5, 2] } });
    assert.equal(row.town, "Rome");
    assert.deepEqual(row.home, [1.5, 2]);
    await tables.deleteColumn({ ...at, key: "home" });
    await gone(() => tables.listColumns({ ...at, queries: [Query.equal("key", ["home"])] }), "columns");
    assert.ok(!("home" in await tables.getRow({ ...at, rowId: "ada" })));
  });

  test("an index is added and dropped", async () => {
    await tables.createIndex({ ...at, key: "by_name", type: TablesDBIndexType.Key, columns: ["name"] });
    await available(() => tables.listIndexes(at), "indexes");
    await tables.deleteIndex({ ...at, key: "by_name" });
    await gone(() => tables.listIndexes({ ...at, queries: [Query.equal("key", ["by_name"])] }), "indexes");
  });

  test("rows are upserted and changed by operators", async () => {
    const row = { ...at, rowId: "bob" };
    await tables.upsertRow({ ...row, data: { name: "Bob", age: 30 } });
    await tables.upsertRow({ ...row, data: { name: "Bob", age: 31 } });
    await tables.updateRow({ ...row, data: { age: Operator.increment(9) } });
    assert.equal((await tables.getRow(row)).age, 40);
    assert.equal((await tables.decrementRowColumn({ ...row, column: "age", value: 1 })).age, 39);
  });

  test("related rows come with a select", async () => {
    await tables.createTable({ databaseId, tableId: "pets", name: "Pets", columns: [
      { key: "name", type: "string", size: 20, required: true },
    ] });
    await tables.createRelationshipColumn({
      databaseId, tableId: "pets", relatedTableId: "people", type: RelationshipType.ManyToOne,
      key: "owner", onDelete: RelationMutate.SetNull,
    });
    const pets = { databaseId, tableId: "pets" };
    await available(() => tables.listColumns(pets), "columns");
    await tables.createRow({ ...at, rowId: "cleo", data: { name: "Cleo" } });
    await tables.createRow({ ...pets, rowId: "rex", data: { name: "Rex", owner: "cleo" } });
    const rex = await tables.getRow({ ...pets, rowId: "rex", queries: [Query.select(["name", "owner.name"])] });
    assert.equal(rex.owner.name, "Cleo");
  });

  test("both APIs read the same records", async () => {
    const created = await tables.createRow({ ...at, rowId: ID.unique(), data: { name: "Both" } });
    const document = await databases.getDocument({ databaseId, collectionId: "people", documentId: created.$id });
    assert.equal(document.name, "Both");
  });
});

describe("transactions", () => {
  const databaseId = "sdk_tx";
  const at = { databaseId, tableId: "accounts" };

  before(async () => {
    await tables.create({ databaseId, name: "SDK" });
    await tables.createTable({ ...at, name: "Accounts", columns: [{ key: "cents", type: "integer", required: true }] });
    await tables.createRow({ ...at, rowId: "a", data: { cents: 100 } });
    await tables.createRow({ ...at, rowId: "b", data: { cents: 0 } });
  });
  after(() => tables.delete({ databaseId }));

  test("a commit applies everything", async () => {
    const { $id: transactionId } = await tables.createTransaction({ ttl: 60 });
    const staged = await tables.createOperations({ transactionId, operations: [
      { ...at, action: "decrement", rowId: "a", data: { column: "cents", value: 40 } },
      { ...at, action: "increment", rowId: "b", data: { column: "cents", value: 40 } },
      { ...at, action: "create", rowId: "receipt", data: { cents: 40 } },
    ] });
    assert.equal(staged.operations, 3);
    await assert.rejects(tables.getRow({ ...at, rowId: "receipt" }), refused(404, "row_not_found"));
    assert.equal((await tables.updateTransaction({ transactionId, commit: true })).status, "committed");
    const { rows } = await tables.listRows({ ...at, queries: [Query.orderAsc("$id")] });
    assert.deepEqual(rows.map(({ $id, cents }) => [$id, cents]), [["a", 60], ["b", 40], ["receipt", 40]]);
    await assert.rejects(
      tables.updateTransaction({ transactionId, commit: true }), refused(400, "transaction_not_ready"));
  });

  test("a rollback applies nothing", async () => {
    const { $id: transactionId } = await tables.createTransaction();
    await tables.createRow({ ...at, rowId: "ghost", data: { cents: 1 }, transactionId });
    assert.equal((await tables.getRow({ ...at, rowId: "ghost", transactionId })).cents, 1);
    await tables.updateTransaction({ transactionId, rollback: true });
    await assert.rejects(tables.getRow({ ...at, rowId: "ghost" }), refused(404, "row_not_found"));
  });

  test("a change from outside is a conflict, and nothing is applied", async () => {
    const { $id: transactionId } = await tables.createTransaction();
    await tables.createRow({ ...at, rowId: "late", data: { cents: 1 }, transactionId });
    await tables.updateRow({ ...at, rowId: "a", data: { cents: 7 }, transactionId });
    await sleep(2);
    await tables.updateRow({ ...at, rowId: "a", data: { cents: 8 } });
    await assert.rejects(
      tables.updateTransaction({ transactionId, commit: true }), refused(409, "transaction_conflict"));
    assert.equal((await tables.getTransaction({ transactionId })).status, "failed");
    assert.equal((await tables.getRow({ ...at, rowId: "a" })).cents, 8);
    await assert.rejects(tables.getRow({ ...at, rowId: "late" }), refused(404, "row_not_found"));
  });
});

test("the server answers a ping", async () => {
  assert.deepEqual(await client.ping(), { message: "Pong!" });
});
