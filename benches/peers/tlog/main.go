// Holds the log of privacy-ledger to the implementation of Go's checksum database
// (golang.org/x/mod/sumdb), in both directions:
//
//	tlog known > crates/privacy-ledger/tests/data/tlog.json
//
// writes roots, proofs and a signed note for the crate's tests, and
//
//	tlog verify FOLDER
//
// reads an export with `key`, `secret` and `proofs.json` beside it, as the test `interop` of the crate
// writes them, and checks the note, every tile, every entry and the proofs.
package main

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error, what string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", what, err)
		os.Exit(1)
	}
}

func ensure(holds bool, what string) {
	if !holds {
		check(fmt.Errorf("does not hold"), what)
	}
}

// Hashes in memory, by the index that tlog stores them under.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, m[i])
	}
	return out, nil
}

func tree(leaves [][]byte) memory {
	var stored memory
	for i, leaf := range leaves {
		more, err := tlog.StoredHashes(int64(i), leaf, stored)
		check(err, "store")
		stored = append(stored, more...)
	}
	return stored
}

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Path  []string `json:"path"`
}

type consistency struct {
	Old  int64    `json:"old"`
	New  int64    `json:"new"`
	Path []string `json:"path"`
}

func texts(hashes []tlog.Hash) []string {
	out := []string{}
	for _, h := range hashes {
		out = append(out, h.String())
	}
	return out
}

func hashes(texts []string) []tlog.Hash {
	var out []tlog.Hash
	for _, text := range texts {
		h, err := tlog.ParseHash(text)
		check(err, "hash")
		out = append(out, h)
	}
	return out
}

type known struct {
	// The leaves that tests of Certificate Transparency use, and the roots of their prefixes.
	Classic struct {
		Leaves []string `json:"leaves"`
		Roots  []string `json:"roots"`
	} `json:"classic"`
	// Leaf i is the text "entry i".
	Roots       map[string]string `json:"roots"`
	Inclusion   []inclusion       `json:"inclusion"`
	Consistency []consistency     `json:"consistency"`
	// A checkpoint of the largest tree.
	Secret   string `json:"secret"`
	Verifier string `json:"verifier"`
	Note     string `json:"note"`
}

func answers() {
	var out known
	out.Classic.Leaves = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	var leaves [][]byte
	for _, text := range out.Classic.Leaves {
		leaf, _ := hex.DecodeString(text)
		leaves = append(leaves, leaf)
		root, err := tlog.TreeHash(int64(len(leaves)), tree(leaves))
		check(err, "root")
		out.Classic.Roots = append(out.Classic.Roots, hex.EncodeToString(root[:]))
	}
	leaves = nil
	for i := 0; i < 700; i++ {
		leaves = append(leaves, []byte(fmt.Sprintf("entry %d", i)))
	}
	stored := tree(leaves)
	out.Roots = map[string]string{}
	root := func(size int64) string {
		h, err := tlog.TreeHash(size, stored)
		check(err, "root")
		out.Roots[fmt.Sprint(size)] = h.String()
		return h.String()
	}
	sizes := []int64{1, 2, 3, 7, 8, 100, 255, 256, 257, 511, 512, 513, 699, 700}
	for _, size := range sizes {
		root(size)
		for _, index := range []int64{0, 1, size / 3, size / 2, size - 1} {
			if index >= size {
				continue
			}
			proof, err := tlog.ProveRecord(size, index, stored)
			check(err, "inclusion")
			out.Inclusion = append(out.Inclusion, inclusion{index, size, texts(proof)})
		}
		for _, old := range sizes {
			if old <= size {
				proof, err := tlog.ProveTree(size, old, stored)
				check(err, "consistency")
				out.Consistency = append(out.Consistency, consistency{old, size, texts(proof)})
			}
		}
	}
	// A key made up for these answers: its seed is 32 bytes of 7.
	name := "ledger.example/acme"
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = 7
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	verifier, err := note.NewEd25519VerifierKey(name, public)
	check(err, "key")
	id := strings.SplitN(verifier, "+", 3)[1]
	secret := fmt.Sprintf("PRIVATE+KEY+%s+%s+%s", name, id, base64.StdEncoding.EncodeToString(append([]byte{1}, seed...)))
	signer, err := note.NewSigner(secret)
	check(err, "signer")
	text := fmt.Sprintf("%s\n%d\n%s\n", name, 700, root(700))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	check(err, "sign")
	out.Secret, out.Verifier, out.Note = secret, verifier, string(signed)
	encoded, err := json.MarshalIndent(out, "", " ")
	check(err, "encode")
	fmt.Println(string(encoded))
}

// Tiles in the layout of tlog-tiles: as tlog names them, without the height.
type folder string

func (f folder) Height() int                               { return 8 }
func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), "tile", path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func verify(at string) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(at, name))
		check(err, name)
		return data
	}
	verifier, err := note.NewVerifier(string(read("key")))
	check(err, "verifier")
	opened, err := note.Open(read("checkpoint"), note.VerifierList(verifier))
	check(err, "note")
	lines := strings.Split(opened.Text, "\n")
	ensure(len(lines) == 4 && lines[0] == verifier.Name(), "origin")
	var size int64
	_, err = fmt.Sscan(lines[1], &size)
	check(err, "size")
	rootBytes, err := base64.StdEncoding.DecodeString(lines[2])
	check(err, "root")
	var root tlog.Hash
	copy(root[:], rootBytes)

	// The same key in Go signs the same note.
	signer, err := note.NewSigner(string(read("secret")))
	check(err, "signer")
	again, err := note.Sign(&note.Note{Text: opened.Text}, signer)
	check(err, "sign")
	ensure(string(again) == string(read("checkpoint")), "the same note")

	// Every entry under the root, through tiles whose hashes are checked on the way.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder(at))
	var leaves [][]byte
	for bundle := int64(0); bundle*256 < size; bundle++ {
		tile := tlog.Tile{H: 8, L: 0, N: bundle, W: 256}
		if rest := size - bundle*256; rest < 256 {
			tile.W = int(rest)
		}
		path := strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)
		data := read(path)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			leaves = append(leaves, data[2:2+length])
			data = data[2+length:]
		}
	}
	ensure(int64(len(leaves)) == size, "the number of entries")
	for i, leaf := range leaves {
		found, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, int64(i))})
		check(err, "tile")
		ensure(found[0] == tlog.RecordHash(leaf), fmt.Sprintf("entry %d", i))
	}
	stored := tree(leaves)
	whole, err := tlog.TreeHash(size, stored)
	check(err, "root")
	ensure(whole == root, "the root")

	var proofs struct {
		Inclusion   []inclusion   `json:"inclusion"`
		Consistency []consistency `json:"consistency"`
	}
	check(json.Unmarshal(read("proofs.json"), &proofs), "proofs")
	at2 := func(n int64) tlog.Hash {
		h, err := tlog.TreeHash(n, stored)
		check(err, "root")
		return h
	}
	for _, p := range proofs.Inclusion {
		check(tlog.CheckRecord(hashes(p.Path), p.Size, at2(p.Size), p.Index, tlog.RecordHash(leaves[p.Index])), "inclusion")
	}
	for _, p := range proofs.Consistency {
		check(tlog.CheckTree(hashes(p.Path), p.New, at2(p.New), p.Old, at2(p.Old)), "consistency")
	}
	fmt.Printf("Go verified the note, %d entries in tiles, %d inclusion and %d consistency proofs\n",
		size, len(proofs.Inclusion), len(proofs.Consistency))
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "known":
		answers()
	case len(os.Args) == 3 && os.Args[1] == "verify":
		verify(os.Args[2])
	default:
		fmt.Fprintln(os.Stderr, "usage: tlog known | tlog verify FOLDER; see ../tlog.py")
		os.Exit(2)
	}
}
