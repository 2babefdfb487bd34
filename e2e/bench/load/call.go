package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// oldAudio fills the utterance that a barge-in interrupts.
const oldAudio = 0x2b

// call is one caller: a SIP dialog over the shared socket and an RTP socket of its own.
type call struct {
	b       *bench
	number  int
	serial  int // of the calls that this caller makes
	rtp     *net.UDPConn
	remote  *net.UDPAddr
	callID  string
	toTag   string
	contact string
	seq     uint16
	stamp   uint32
	frame   uint32
	packet  [12 + frameBytes]byte
	reader  reader
	barging atomic.Bool
	started atomic.Int64 // µs of speech_started, 0 before
	lastOld atomic.Int64 // µs of the last packet with old audio
}

func (b *bench) newCall(number int) (*call, error) {
	rtp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	c := &call{b: b, number: number, rtp: rtp, callID: fmt.Sprintf("bench-%d-%d-%d@127.0.0.1", b.started.UnixNano(), number, rand.Int63())}
	stampArrivals(rtp)
	return c, nil
}

// stampArrivals lets the kernel note when a packet came, so that a busy bench does not add to it.
func stampArrivals(conn *net.UDPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	})
}

func arrivalOf(oob []byte, fallback time.Time) time.Time {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return fallback
	}
	for _, m := range messages {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == syscall.SCM_TIMESTAMPNS && len(m.Data) >= 16 {
			ts := (*syscall.Timespec)(unsafe.Pointer(&m.Data[0]))
			return time.Unix(ts.Sec, ts.Nsec)
		}
	}
	return fallback
}

func (c *call) invite() error {
	port := c.rtp.LocalAddr().(*net.UDPAddr).Port
	sdp := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", port)
	text := c.request("INVITE", 1, "sip:bench@"+c.b.target, "Content-Type: application/sdp\r\n", sdp)
	answer, err := c.b.transact(c.callID, "INVITE", text, 15*time.Second)
	if err != nil {
		return err
	}
	if answer.status != 200 {
		return fmt.Errorf("INVITE answered %d", answer.status)
	}
	c.toTag = answer.toTag
	c.contact = answer.contact
	c.remote = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: answer.rtpPort}
	c.b.write(c.request("ACK", 1, c.contact, "", ""))
	return nil
}

func (c *call) bye() error {
	answer, err := c.b.transact(c.callID, "BYE", c.request("BYE", 2, c.contact, "", ""), 5*time.Second)
	if err == nil && answer.status != 200 {
		err = fmt.Errorf("BYE answered %d", answer.status)
	}
	c.rtp.Close()
	return err
}

func (c *call) request(method string, cseq int, uri, extra, body string) string {
	to := "<sip:bench@" + c.b.target + ">"
	if c.toTag != "" {
		to += ";tag=" + c.toTag
	}
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s%d.%d.%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:load@127.0.0.1>;tag=f%d\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:load@%s>\r\n%sContent-Length: %d\r\n\r\n%s",
		method, uri, c.b.local, method, c.number, c.serial, c.b.started.UnixNano(), c.number, to, c.callID, cseq, method, c.b.local, extra, len(body), body)
}

// sendFrame sends the next 20 ms; called by the pacer only.
func (c *call) sendFrame() {
	c.packet[0], c.packet[1] = 0x80, 0
	binary.BigEndian.PutUint16(c.packet[2:], c.seq)
	binary.BigEndian.PutUint32(c.packet[4:], c.stamp)
	binary.BigEndian.PutUint32(c.packet[8:], uint32(c.number)+1)
	writeFrame(c.packet[12:], mark{uint16(c.number), c.frame, c.b.now()})
	c.seq++
	c.stamp += frameBytes
	c.frame++
	c.rtp.WriteToUDP(c.packet[:], c.remote)
	c.b.onSent()
}

func (c *call) receive() {
	buffer := make([]byte, 2048)
	oob := make([]byte, 128)
	for {
		n, oobn, _, _, err := c.rtp.ReadMsgUDP(buffer, oob)
		if err != nil {
			return
		}
		if n <= 12 || buffer[1]&0x7f != 0 {
			continue
		}
		at := c.b.since(arrivalOf(oob[:oobn], time.Now()))
		audio := buffer[12:n]
		if bytes.Count(audio, []byte{oldAudio}) > len(audio)/2 {
			c.lastOld.Store(at)
			continue
		}
		c.reader.push(audio, func(m mark) { c.b.onEcho(c, m, at) })
	}
}

type answer struct {
	status  int
	toTag   string
	contact string
	rtpPort int
}

// parseAnswer reads what the load needs of a response. The connector's own parser is not used: a
// measuring tool should not share the faults of what it measures.
func parseAnswer(text string) (callID, method string, a answer, ok bool) {
	head, body, _ := strings.Cut(text, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	fields := strings.SplitN(lines[0], " ", 3)
	if len(fields) < 2 || fields[0] != "SIP/2.0" {
		return
	}
	a.status, _ = strconv.Atoi(fields[1])
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "call-id", "i":
			callID = value
		case "cseq":
			_, method, _ = strings.Cut(value, " ")
		case "to", "t":
			if at := strings.Index(value, ";tag="); at >= 0 {
				a.toTag, _, _ = strings.Cut(value[at+5:], ";")
			}
		case "contact", "m":
			a.contact = strings.Trim(strings.SplitN(value, ">", 2)[0], "< ")
		}
	}
	for _, line := range strings.Split(body, "\r\n") {
		if strings.HasPrefix(line, "m=audio ") {
			a.rtpPort, _ = strconv.Atoi(strings.Fields(line)[1])
		}
	}
	return callID, method, a, callID != "" && method != ""
}
