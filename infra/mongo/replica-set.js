/* global rs, db, quit */
// For mongosh, again and again until it exits with 0: makes the server a replica set of one and waits until it is its
// primary. A replica set, because majority writes and their journal then mean what they mean in production.
try {
  rs.status();
} catch {
  rs.initiate({ _id: 'rs0', members: [{ _id: 0, host: '127.0.0.1:27017' }] });
}
quit(db.hello().isWritablePrimary ? 0 : 1);
