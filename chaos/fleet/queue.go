package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// queue is a netfilter queue: packets that a rule with the target NFQUEUE has
// met wait in the kernel until they are released, in any order. What is said with
// the kernel is defined in linux/netfilter/nfnetlink_queue.h.
type queue struct {
	file *os.File // a netlink socket of the namespace
	buf  []byte
}

// queueLength is how many packets may wait; more are dropped.
const queueLength = 1 << 14

// The messages and attributes of nfnetlink_queue.
const (
	queuePacket  = unix.NFNL_SUBSYS_QUEUE << 8
	queueVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1
	queueConfig  = unix.NFNL_SUBSYS_QUEUE<<8 | 2

	attrConfigCommand = 1 // u8 command, u8 nothing, be16 protocol family
	attrConfigParams  = 2 // be32 bytes to copy, u8 mode
	attrConfigLength  = 3 // be32
	attrPacketHeader  = 1 // be32 packet, be16 protocol, u8 hook
	attrVerdictHeader = 2 // be32 verdict, be32 packet

	commandBind  = 1
	copyMetadata = 1
	accept       = 1 // NF_ACCEPT

	headerBytes = unix.SizeofNlMsghdr + 4 // u8 family, u8 version, be16 queue
	typeMask    = 1<<14 - 1               // of an attribute's type; above it are flags
)

// openQueue opens a namespace's queue of a number. Not more than the packets'
// numbers are read.
func openQueue(space string, number uint16) (*queue, error) {
	fd, err := netlinkIn(space)
	if err != nil {
		return nil, fmt.Errorf("fleet: open a packet queue in %s: %w", space, err)
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20) // else smaller: packets of bursts may be lost
	q := &queue{file: os.NewFile(uintptr(fd), "packet queue"), buf: make([]byte, 1<<16)}
	length := binary.BigEndian.AppendUint32(nil, queueLength)
	for _, config := range []struct {
		attr  uint16
		value []byte
	}{
		{attrConfigCommand, []byte{commandBind, 0, 0, unix.AF_INET}},
		{attrConfigParams, []byte{0, 0, 0, 0, copyMetadata}},
		{attrConfigLength, length},
	} {
		if err := q.configure(number, config.attr, config.value); err != nil {
			return nil, errors.Join(fmt.Errorf("fleet: set up a packet queue in %s: %w", space, err), q.close())
		}
	}
	return q, nil
}

// netlinkIn opens a netfilter socket in a namespace: a thread visits it.
func netlinkIn(space string) (fd int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and not unlocked: the thread ends with the goroutine
		var there *os.File
		if there, err = os.Open("/run/netns/" + space); err != nil {
			return
		}
		defer there.Close()
		if err = unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		if fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER); err == nil {
			err = unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
		}
	}()
	<-done
	return fd, err
}

// frame lays out a message with one attribute.
func frame(kind, flags, number, attr uint16, value []byte) []byte {
	native, size := binary.NativeEndian, unix.SizeofNlAttr+len(value)
	b := native.AppendUint32(nil, uint32(headerBytes+(size+3)&^3))
	b = native.AppendUint16(b, kind)
	b = native.AppendUint16(b, unix.NLM_F_REQUEST|flags)
	b = append(b, make([]byte, 8)...) // sequence, sender
	b = append(b, unix.AF_UNSPEC, unix.NFNETLINK_V0)
	b = binary.BigEndian.AppendUint16(b, number)
	b = native.AppendUint16(b, uint16(size))
	b = native.AppendUint16(b, attr)
	b = append(b, value...)
	return append(b, make([]byte, (4-size%4)%4)...)
}

// configure asks for something and waits for the answer. Nothing is queued yet.
func (q *queue) configure(number, attr uint16, value []byte) error {
	if _, err := q.file.Write(frame(queueConfig, unix.NLM_F_ACK, number, attr, value)); err != nil {
		return err
	}
	for {
		n, err := q.file.Read(q.buf)
		if err != nil {
			return err
		}
		b := q.buf[:n]
		if len(b) >= unix.SizeofNlMsghdr+4 && binary.NativeEndian.Uint16(b[4:]) == unix.NLMSG_ERROR {
			if code := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); code != 0 {
				return unix.Errno(-code)
			}
			return nil
		}
	}
}

// read waits for packets and gives each one's number to take; false when the
// queue is closed.
func (q *queue) read(take func(packet uint32)) bool {
	n, err := q.file.Read(q.buf)
	if errors.Is(err, unix.ENOBUFS) {
		return true // some were lost, as packets may be
	}
	if err != nil {
		return false
	}
	for b := q.buf[:n]; len(b) >= headerBytes; {
		size := int(binary.NativeEndian.Uint32(b))
		if size < headerBytes || size > len(b) {
			break
		}
		if binary.NativeEndian.Uint16(b[4:]) == queuePacket {
			if packet, ok := packetNumber(b[headerBytes:size]); ok {
				take(packet)
			}
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return true
}

// packetNumber looks for it among a packet's attributes.
func packetNumber(attrs []byte) (uint32, bool) {
	for len(attrs) >= unix.SizeofNlAttr {
		size := int(binary.NativeEndian.Uint16(attrs))
		if size < unix.SizeofNlAttr || size > len(attrs) {
			break
		}
		if binary.NativeEndian.Uint16(attrs[2:])&typeMask == attrPacketHeader && size >= unix.SizeofNlAttr+4 {
			return binary.BigEndian.Uint32(attrs[unix.SizeofNlAttr:]), true
		}
		attrs = attrs[min(len(attrs), (size+3)&^3):]
	}
	return 0, false
}

// release lets a packet go on. Any goroutine may call it.
func (q *queue) release(number uint16, packet uint32) error {
	value := binary.BigEndian.AppendUint32(nil, accept)
	_, err := q.file.Write(frame(queueVerdict, 0, number, attrVerdictHeader, binary.BigEndian.AppendUint32(value, packet)))
	return err
}

// close drops what still waits.
func (q *queue) close() error { return q.file.Close() }
