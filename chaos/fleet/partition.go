package fleet

import "errors"

// ErrNoNetns says that a fleet without Options.Netns was to be cut apart.
var ErrNoNetns = errors.New("fleet: only nodes in network namespaces can be cut apart")

// Partition cuts groups of nodes apart: nothing that a node of one group sends
// arrives at a node of another, in place of the partition before. A node of no
// group reaches everybody, and this machine does. The cuts hold over the nodes'
// restarts.
func (f *Fleet) Partition(groups ...[]*Node) error {
	if err := f.Heal(); err != nil {
		return err
	}
	for i, group := range groups {
		for j, other := range groups {
			if i == j {
				continue
			}
			if err := dropBetween(group, other); err != nil {
				return err
			}
		}
	}
	return nil
}

// Deafen has nodes hear nothing from others, who go on hearing them, beside the
// cuts that there are.
func (f *Fleet) Deafen(nodes, from []*Node) error {
	if !f.o.Netns {
		return ErrNoNetns
	}
	return dropBetween(nodes, from)
}

// dropBetween has one group not hear the other.
func dropBetween(at, from []*Node) error {
	for _, n := range at {
		for _, other := range from {
			if err := drop(n.space, other.host); err != nil {
				return err
			}
		}
	}
	return nil
}

// Heal ends the partition.
func (f *Fleet) Heal() error {
	if !f.o.Netns {
		return ErrNoNetns
	}
	var errs []error
	for _, n := range f.Nodes() {
		errs = append(errs, dropNothing(n.space))
	}
	return errors.Join(errs...)
}

// Dropped counts the packets that the cuts have dropped since they were made.
func (f *Fleet) Dropped() (packets int, err error) {
	if !f.o.Netns {
		return 0, ErrNoNetns
	}
	for _, n := range f.Nodes() {
		count, err := dropped(n.space)
		if err != nil {
			return 0, err
		}
		packets += count
	}
	return packets, nil
}
