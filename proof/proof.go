// Package proof checks a Purser ledger without Purser: from exported files
// and one public key alone, with no database, no clock and no trust in
// whoever made the files.
//
// It owns the tree over the entries (RFC 6962 hashing), checkpoints and entry
// bundles in their C2SP forms, the signed manifest of an exported folder,
// writing such a folder and verifying it. It does not know what the entries
// mean: a caller that can fold them hands in hooks. It opens no field and
// reads no network.
//
// Law carried here: L10, any changed bit shows. Whatever is parsed is encoded
// again and must come out identical, every read is bounded, and a file that
// nobody listed is a failure.
//
// Start reading at [VerifyFolder], then [Frontier].
package proof
