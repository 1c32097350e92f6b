package node_test

import (
	"slices"
	"testing"

	"github.com/parley-im/parley/actors/connection"
	"github.com/parley-im/parley/actors/conversation"
	"github.com/parley-im/parley/actors/session"
	"github.com/parley-im/parley/proto/method"
	"github.com/parley-im/parley/proto/methodpb"
)

// TestEveryMethodHasAHandlerWhereItGoes: a method of the contract that nobody
// handles is found here, and so is a handler in the wrong place.
func TestEveryMethodHasAHandlerWhereItGoes(t *testing.T) {
	handled := map[methodpb.To][]uint32{
		methodpb.To_TO_NODE:         connection.Methods(),
		methodpb.To_TO_SELF:         session.Methods(),
		methodpb.To_TO_CONVERSATION: conversation.Methods(),
	}
	for _, m := range method.All() {
		for to, numbers := range handled {
			if has := slices.Contains(numbers, m.Number); has != (to == m.To) {
				t.Errorf("%s goes to %s; that %s handles it is %v", m.Path, m.To, to, has)
			}
		}
	}
}
