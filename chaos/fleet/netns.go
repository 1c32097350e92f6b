package fleet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// network is a bridge of this machine and a network namespace for each node on
// it. Everything is named with the process's ID; what a process has left that
// was killed, the next one removes.
type network struct {
	prefix string // of all names; short, as those of interfaces end at 15 bytes
	subnet string // the first three bytes of all addresses
	spaces []string
}

// netPrefix begins all names; process ID, letter and number follow.
const netPrefix = "parley"

// openNetwork makes the bridge, with an address for this machine.
func openNetwork() (*network, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("fleet: network namespaces need root")
	}
	if err := removeLeftNetworks(); err != nil {
		return nil, err
	}
	subnet, err := freeSubnet()
	if err != nil {
		return nil, err
	}
	w := &network{prefix: netPrefix + strconv.Itoa(os.Getpid()), subnet: subnet}
	err = runAll(
		[]string{"ip", "link", "add", w.bridge(), "type", "bridge"},
		[]string{"ip", "addr", "add", w.address(1) + "/24", "dev", w.bridge()},
		[]string{"ip", "link", "set", w.bridge(), "up"},
	)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	return w, nil
}

func (w *network) bridge() string { return w.prefix + "b" }

func (w *network) address(host int) string { return w.subnet + strconv.Itoa(host) }

// add makes a namespace with one address.
func (w *network) add() (space, address string, err error) {
	number := len(w.spaces) + 1
	space, address = fmt.Sprintf("%sn%d", w.prefix, number), w.address(1+number)
	w.spaces = append(w.spaces, space)
	return space, address, runAll(
		[]string{"ip", "netns", "add", space},
		[]string{"ip", "link", "add", space, "type", "veth", "peer", "name", "eth0", "netns", space},
		[]string{"ip", "link", "set", space, "master", w.bridge(), "up"},
		[]string{"ip", "-n", space, "addr", "add", address + "/24", "dev", "eth0"},
		[]string{"ip", "-n", space, "link", "set", "eth0", "up"},
		[]string{"ip", "-n", space, "link", "set", "lo", "up"},
	)
}

// inSpace has nsenter run a command in a namespace. "ip netns exec" would give it
// a mount namespace too: for as long as the command runs, that holds on to file
// systems which nodes of this fleet, or of another one, lose meanwhile, and what
// is mounted next is what was lost.
func inSpace(space string) string { return "--net=/run/netns/" + space }

// close removes all of it, also what was made in part.
func (w *network) close() error { return removeNetwork(w.prefix) }

// removeNetwork removes the namespaces and interfaces with a prefix.
func removeNetwork(prefix string) error {
	links, err := filepath.Glob("/sys/class/net/" + prefix + "[bn]*")
	if err != nil {
		return err
	}
	spaces, err := filepath.Glob("/run/netns/" + prefix + "n*")
	if err != nil {
		return err
	}
	var errs []error
	for _, space := range spaces {
		errs = append(errs, killAll(filepath.Base(space)))
	}
	for _, link := range links {
		errs = append(errs, run("ip", "link", "del", filepath.Base(link)))
	}
	for _, space := range spaces {
		errs = append(errs, run("ip", "netns", "del", filepath.Base(space)))
	}
	return errors.Join(errs...)
}

// killAll ends what still runs in a namespace: nodes whose fleet was killed.
func killAll(space string) error {
	out, err := exec.Command("ip", "netns", "pids", space).Output()
	if err != nil {
		return fmt.Errorf("fleet: ip netns pids %s: %w", space, err)
	}
	for _, field := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

// removeLeftNetworks removes those whose process is gone.
func removeLeftNetworks() error {
	var errs []error
	for _, pattern := range []string{"/sys/class/net/", "/run/netns/"} {
		names, err := filepath.Glob(pattern + netPrefix + "[0-9]*[bn]*")
		errs = append(errs, err)
		for _, name := range names {
			number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(name), netPrefix), "n")
			number = strings.TrimSuffix(number, "b")
			if _, err := os.Stat("/proc/" + number); errors.Is(err, os.ErrNotExist) {
				errs = append(errs, removeNetwork(netPrefix+number))
			}
		}
	}
	return errors.Join(errs...)
}

// freeSubnet finds one of 10.77.0.0/16 that no interface of this machine is in.
func freeSubnet() (string, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for i := range 256 {
		subnet := fmt.Sprintf("10.77.%d.", (os.Getpid()+i)%256)
		taken := false
		for _, a := range all {
			if in, ok := a.(*net.IPNet); ok {
				taken = taken || strings.HasPrefix(in.IP.String(), subnet) || in.Contains(net.ParseIP(subnet+"1"))
			}
		}
		if !taken {
			return subnet, nil
		}
	}
	return "", errors.New("fleet: all of 10.77.0.0/16 is in use on this machine")
}

func runAll(commands ...[]string) error {
	for _, c := range commands {
		if err := run(c[0], c[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("fleet: %s %s: %w: %s", name, strings.Join(args, " "), err, out)
	}
	return nil
}
