package fleet

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// ErrNoNetns says that something was to be done to the packets of a fleet without
// Options.Netns, or that one without Options.Proxies either was to be cut apart.
var ErrNoNetns = errors.New("fleet: the nodes are neither in network namespaces nor, if that would do, behind proxies")

// Cut is something that is done to what nodes send each other, until Heal. Cuts
// are made beside each other, and each ends by itself only; they hold over the
// nodes' restarts.
type Cut struct {
	name  string // stands in all its rules
	rules []rule

	proxies *proxies // instead of rules
	ways    []way
	before  int // that were held back
}

// rule is one of a namespace's packet filter.
type rule struct {
	space, table, chain string
	what                []string // match and target
}

// Deafen has nodes hear nothing from others, who go on hearing them. It works
// with Options.Netns and with Options.Proxies.
func (f *Fleet) Deafen(nodes, from []*Node) (*Cut, error) {
	if f.proxies == nil {
		return f.Lose(nodes, from, 1)
	}
	c := &Cut{proxies: f.proxies, ways: waysTo(nodes, from)}
	c.before = f.proxies.held(c.ways)
	f.proxies.cut(c.ways, 1)
	return c, nil
}

func waysTo(nodes, from []*Node) (all []way) {
	for _, n := range nodes {
		for _, other := range from {
			all = append(all, way{other, n})
		}
	}
	return all
}

// Lose has a share of the packets from others not arrive at nodes, each by
// chance.
func (f *Fleet) Lose(nodes, from []*Node, share float64) (*Cut, error) {
	c, err := f.newCut()
	if err != nil {
		return nil, err
	}
	var chance []string
	if share < 1 {
		chance = []string{"-m", "statistic", "--mode", "random", "--probability", strconv.FormatFloat(share, 'f', 4, 64)}
	}
	return c, c.between(nodes, from, func(at, other *Node) rule {
		return rule{at.space, "filter", "INPUT", slices.Concat([]string{"-s", other.host}, chance, []string{"-j", "DROP"})}
	})
}

func (f *Fleet) newCut() (*Cut, error) {
	if !f.o.Netns {
		return nil, ErrNoNetns
	}
	return &Cut{name: fmt.Sprintf("cut%d", f.cuts.Add(1))}, nil
}

// between adds a rule for each pair; on an error it takes all back.
func (c *Cut) between(nodes, others []*Node, make func(at, other *Node) rule) error {
	for _, n := range nodes {
		for _, other := range others {
			r := make(n, other)
			if err := r.run("-A", c.name); err != nil {
				return errors.Join(err, c.Heal())
			}
			c.rules = append(c.rules, r)
		}
	}
	return nil
}

// run adds or deletes the rule.
func (r rule) run(how, name string) error {
	args := []string{inSpace(r.space), "iptables", "-w", "-t", r.table, how, r.chain, "-m", "comment", "--comment", name}
	return run("nsenter", append(args, r.what...)...)
}

// Heal ends the cut, and no other.
func (c *Cut) Heal() error {
	if c.proxies != nil {
		c.proxies.cut(c.ways, -1)
		c.ways = nil
		return nil
	}
	var errs []error
	for _, r := range c.rules {
		errs = append(errs, r.run("-D", c.name))
	}
	c.rules = nil
	return errors.Join(errs...)
}

// Packets counts those that the cut has hit since it was made; of proxies,
// datagrams and pieces of streams.
func (c *Cut) Packets() (packets int, err error) {
	if c.proxies != nil {
		return c.proxies.held(c.ways) - c.before, nil
	}
	type list struct{ space, table, chain string }
	counted := make(map[list]bool)
	for _, r := range c.rules {
		l := list{r.space, r.table, r.chain}
		if counted[l] {
			continue
		}
		counted[l] = true
		out, err := exec.Command("nsenter", inSpace(l.space), "iptables", "-w", "-t", l.table, "-L", l.chain, "-v", "-n", "-x").Output()
		if err != nil {
			return 0, fmt.Errorf("fleet: list the rules of %s: %w", l.space, err)
		}
		n, err := packetsOf(string(out), c.name)
		if err != nil {
			return 0, err
		}
		packets += n
	}
	return packets, nil
}

// packetsOf adds up the counters of the rules with a name: a line begins with the
// number of packets and ends with the comment.
func packetsOf(listing, name string) (packets int, err error) {
	for line := range strings.Lines(listing) {
		fields := strings.Fields(line)
		if len(fields) == 0 || !strings.Contains(line, "/* "+name+" */") {
			continue
		}
		n, err := strconv.Atoi(fields[0])
		if err != nil {
			return 0, fmt.Errorf("fleet: a rule without counter: %q", line)
		}
		packets += n
	}
	return packets, nil
}

// Reset ends the connections between nodes and others, both ends of which are
// told so, and counts them. It works with Options.Netns and with Options.Proxies.
func (f *Fleet) Reset(nodes, others []*Node) (connections int, err error) {
	if f.proxies != nil {
		return f.proxies.reset(waysTo(nodes, others)), nil
	}
	if !f.o.Netns {
		return 0, ErrNoNetns
	}
	for _, n := range nodes {
		for _, other := range others {
			out, err := exec.Command("nsenter", inSpace(n.space), "ss", "-K", "-H", "-t", "-n", "state", "established", "dst", other.host).Output()
			if err != nil {
				return connections, fmt.Errorf("fleet: ss -K in %s: %w", n.space, err)
			}
			connections += strings.Count(string(out), "\n") // it lists what it has ended
		}
	}
	return connections, nil
}
