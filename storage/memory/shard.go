package memory

import "github.com/parley-im/parley/storage"

// shard is one shard's replica: the state for the open batch, and what views
// and the log's readers see.
type shard struct {
	store *Store
	id    storage.ShardID
	batch *batch // the open one that touches it

	tables
	replica    storage.Replica
	log        []storage.LogEntry // replica.Base < Index <= replica.Last
	generation int                // counts Install and Destroy
}

func newShard(s *Store, id storage.ShardID) *shard {
	return &shard{store: s, id: id, tables: newTables()}
}
