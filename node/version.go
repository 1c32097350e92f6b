package node

import (
	"errors"
	"fmt"

	"github.com/parley-im/parley/chat"
	"github.com/parley-im/parley/cluster/members"
)

// errRelease says that this release does not speak the version of the cluster.
var errRelease = errors.New("start a release that speaks it")

// version is by what commands are proposed: the version that the cluster agreed
// on, as far as this node knows. An older one than that does no harm.
func (n *Node) version() uint32 { return max(chat.Spoken().Oldest, n.agreed.Load()) }

// agree takes over what the cluster agreed on. It is on disk before it is used, so
// that an older release does not start on this folder.
func (n *Node) agree(version uint32) {
	if version <= n.agreed.Load() {
		return
	}
	if err := canSpeak(version); err != nil {
		n.refuse(err)
		return
	}
	if err := n.amend(func(m *membership) { m.Version = version }); err != nil {
		n.o.Log.Error("the cluster's version is not remembered, and not used", "version", version, "error", err)
		return
	}
	n.agreed.Store(version)
	n.mesh.members.Update(func(m *members.Node) { m.Agreed = version })
	n.o.Log.Info("the cluster's version", "version", version, "newest", chat.Version)
}

// canSpeak is an error for a version that this release does not speak.
func canSpeak(version uint32) error {
	if version == 0 || chat.Spoken().Holds(version) {
		return nil
	}
	return fmt.Errorf("the cluster has agreed on version %d, and this release speaks %v: %w", version, chat.Spoken(), errRelease)
}

// canJoin is an error when nodes of this cluster have agreed on what this release
// does not speak.
func (n *Node) canJoin(all []members.Node) (err error) {
	for _, m := range n.neighbours(all) {
		err = errors.Join(err, canSpeak(m.Agreed))
	}
	return err
}

// refuse has this node end, as others may not count on it any more.
func (n *Node) refuse(err error) {
	select {
	case n.refused <- err:
	default:
	}
}
