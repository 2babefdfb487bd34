package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// realtime is the model's end: the OpenAI Realtime protocol (GA names), as much of it as a load needs.
//
// Echo: every append comes back as one delta, without think time. Barge-in: a long utterance is sent
// several times faster than real time; loud caller audio makes speech_started.
type realtime struct {
	mode      string
	b         *bench
	listener  net.Listener
	utterance []byte
}

const appendPrefix = `{"type":"input_audio_buffer.append","audio":"`

func startRealtime(b *bench, mode, address string) (*realtime, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	r := &realtime{mode: mode, b: b, listener: listener}
	r.utterance = bytes.Repeat([]byte{oldAudio}, 20*8000)
	upgrader := websocket.Upgrader{
		ReadBufferSize: 16384, WriteBufferSize: 16384,
		Subprotocols: []string{"realtime"},
		CheckOrigin:  func(*http.Request) bool { return true },
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		socket, err := upgrader.Upgrade(w, q, nil)
		if err != nil {
			return
		}
		s := &session{r: r, socket: socket}
		s.run()
	}))
	return r, nil
}

type session struct {
	r       *realtime
	socket  *websocket.Conn
	writing sync.Mutex
	replies int
	barged  bool
	reader  reader
	call    int
}

func (s *session) send(text []byte) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.socket.WriteMessage(websocket.TextMessage, text)
}

func (s *session) sendf(format string, args ...any) { s.send([]byte(fmt.Sprintf(format, args...))) }

func (s *session) run() {
	defer s.socket.Close()
	s.call = -1
	s.sendf(`{"type":"session.created","event_id":"e0","session":{"id":"sess_1","type":"realtime"}}`)
	for {
		_, text, err := s.socket.ReadMessage()
		if err != nil {
			return
		}
		if bytes.HasPrefix(text, []byte(appendPrefix)) {
			s.onAppend(text[len(appendPrefix):bytes.LastIndexByte(text, '"')])
			continue
		}
		var event struct{ Type string }
		if json.Unmarshal(text, &event) != nil {
			continue
		}
		switch event.Type {
		case "session.update":
			s.sendf(`{"type":"session.updated","event_id":"e1","session":{"id":"sess_1","type":"realtime"}}`)
			if s.r.mode == "echo" {
				s.startReply()
			}
		case "input_audio_buffer.append":
			s.r.b.fail("append of an unexpected spelling: %.80s", text)
		}
	}
}

func (s *session) startReply() {
	s.replies++
	n := s.replies
	s.sendf(`{"type":"response.created","event_id":"e","response":{"id":"resp_%d","object":"realtime.response","status":"in_progress","output":[]}}`, n)
	s.sendf(`{"type":"response.output_item.added","event_id":"e","response_id":"resp_%d","output_index":0,"item":{"id":"item_%d","object":"realtime.item","type":"message","role":"assistant","status":"in_progress","content":[]}}`, n, n)
}

func (s *session) delta(base64Audio []byte) {
	head := fmt.Sprintf(`{"type":"response.output_audio.delta","event_id":"e","response_id":"resp_%d","item_id":"item_%d","output_index":0,"content_index":0,"delta":"`, s.replies, s.replies)
	out := make([]byte, 0, len(head)+len(base64Audio)+2)
	out = append(out, head...)
	out = append(out, base64Audio...)
	out = append(out, '"', '}')
	s.send(out)
}

func (s *session) onAppend(encoded []byte) {
	now := s.r.b.now()
	audio := make([]byte, base64.StdEncoding.DecodedLen(len(encoded)))
	n, err := base64.StdEncoding.Decode(audio, encoded)
	if err != nil {
		s.r.b.fail("append is not base64: %v", err)
		return
	}
	s.reader.push(audio[:n], func(m mark) {
		s.call = int(m.call)
		s.r.b.onIngress(m, now)
	})
	if s.r.mode == "echo" {
		s.delta(encoded)
		return
	}
	if s.replies == 0 {
		s.startReply()
		go s.speak()
	}
	if !s.barged && s.call >= 0 && s.r.b.isBarging(s.call) {
		s.barged = true
		s.r.b.onSpeechStarted(s.call)
		s.sendf(`{"type":"input_audio_buffer.speech_started","event_id":"e","audio_start_ms":1000,"item_id":"caller_1"}`)
		s.sendf(`{"type":"response.done","event_id":"e","response":{"id":"resp_%d","object":"realtime.response","status":"cancelled","status_details":{"type":"cancelled","reason":"turn_detected"},"output":[]}}`, s.replies)
	}
}

// speak sends the whole utterance in 200 ms deltas, ten times faster than real time.
func (s *session) speak() {
	const piece = 1600
	for at := 0; at < len(s.r.utterance); at += piece {
		s.delta([]byte(base64.StdEncoding.EncodeToString(s.r.utterance[at : at+piece])))
		time.Sleep(20 * time.Millisecond)
	}
}
