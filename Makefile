.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: setup-cluster ## a Kubernetes cluster here, a VoiceAgent applied, called and talked with (KEEP=1: stays up)
	@npm run --silent demo

down: setup ## ends the cluster that `make demo` or a test left, and leaves nothing of it
	@npm run --silent down

talk: setup ## a scripted phone calls the connector and talks with the offline AI, shown live
	@npm run --silent talk

run: setup ## the connector with CONFIG=file.yaml, listening until Ctrl-C
	@npm run --silent connector -- run $(or $(CONFIG),examples/pizza.yaml)

test: setup-test ## everything: check, unit, integration with foreign peers, promises on a real cluster
	@npm run --silent test:all

check: setup ## lint, format, types, unused code
	@npm run --silent check

bench: setup-bench ## the table of docs/performance.md, measured here
	@npm run --silent bench

clean: ## remove what the builds left
	@if [ -d .cache/cluster/state ]; then npm run --silent down; fi
	rm -rf */dist node_modules .cache recordings

setup setup-test setup-bench setup-cluster:
	@scripts/setup.sh $(patsubst setup-%,%,$(filter-out setup,$@))

.PHONY: help talk run test check bench clean demo down setup setup-test setup-bench setup-cluster
