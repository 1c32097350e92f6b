package conversation

import (
	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/ask"
	"github.com/parley-im/parley/proto/wirepb"
	"github.com/parley-im/parley/storage"
)

// changes reads what has become of messages, for a device that was away.
func (c *conversation) changes(call *ask.Call, q *wirepb.QueryChanges) (*wirepb.QueryChangesReply, error) {
	if q.Count < 1 || q.Count > maxPage {
		return nil, chat.Errorf(chat.CodeInvalidParam, "changes", "count is %d; 1 to %d are allowed", q.Count, maxPage)
	}
	read(c, call, func(v storage.View) (*wirepb.QueryChangesReply, error) { return readChanges(v, c.key, q) })
	return nil, nil
}

func readChanges(v storage.View, key chat.ConversationKey, q *wirepb.QueryChanges) (*wirepb.QueryChangesReply, error) {
	head, _, err := v.Head(key)
	if err != nil {
		return nil, err
	}
	changes, err := v.Changes(key, q.AfterRev, int(q.Count))
	if err != nil {
		return nil, err
	}
	page := &wirepb.QueryChangesReply{LastRev: q.AfterRev + uint64(len(changes)), HeadRev: head.Rev}
	seen := make(map[uint64]bool)
	for _, change := range changes {
		if seen[change.Seq] {
			continue
		}
		seen[change.Seq] = true
		entries, err := v.Entries(key, change.Seq-1, change.Seq+1, 1, false)
		if err != nil {
			return nil, err
		}
		for i := range entries { // none when it is not kept any more
			page.Messages = append(page.Messages, wirepb.FromEntry(key, &entries[i]))
		}
	}
	return page, nil
}
