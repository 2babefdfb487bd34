package main

import "testing"

func TestFramesAreFoundWhereverTheStreamIsCut(t *testing.T) {
	var stream []byte
	for i := 0; i < 50; i++ {
		frame := make([]byte, frameBytes)
		writeFrame(frame, mark{call: 7, frame: uint32(i), sent: int64(i) * 20000})
		stream = append(stream, frame...)
	}
	for cut := 1; cut < 400; cut += 13 {
		var r reader
		var got []mark
		for at := 0; at < len(stream); at += cut {
			end := at + cut
			if end > len(stream) {
				end = len(stream)
			}
			r.push(stream[at:end], func(m mark) { got = append(got, m) })
		}
		if len(got) != 50 || got[49].frame != 49 || got[49].sent != 49*20000 || got[0].call != 7 {
			t.Fatalf("cut %d: %d frames, last %+v", cut, len(got), got[len(got)-1])
		}
	}
}

func TestDamageIsNotAFrame(t *testing.T) {
	frame := make([]byte, frameBytes)
	writeFrame(frame, mark{call: 1, frame: 2, sent: 3})
	frame[8] ^= 1
	var r reader
	r.push(frame, func(m mark) { t.Fatalf("found %+v", m) })
}
