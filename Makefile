# Everything that is built goes under build/. `make` alone prints the targets.

SHELL := /bin/bash
JOBS := $(shell nproc)
root := $(CURDIR)
flag = $(shell . scripts/flags; echo "$$$(1)")

MODULE := build/ngx_http_ws_module.so
STATIC := build/static/nginx

# The layers that need no nginx; t/unit tests them alone.
LAYERS := simd websocket context redis auth relay status control
CORE := $(foreach layer,$(LAYERS),$(wildcard module/$(layer)/*.cpp))
UNIT := $(patsubst t/unit/%.cpp,build/unit/%,$(wildcard t/unit/*_test.cpp))
FUNCTIONAL := $(filter-out t/browser.t t/browser_status.t t/differential.t,$(wildcard t/*.t))
FUZZ := $(patsubst t/fuzz/%.cpp,build/fuzz/%,$(wildcard t/fuzz/*.cpp))

help:
	@echo 'make deps        install what building and testing need'
	@echo 'make module      $(MODULE), for Debian'"'"'s nginx'
	@echo 'make static      $(STATIC), the module inside, with sanitizers'
	@echo 'make check       what the scripts can check: format, layers, directives, documents, exports, clang'
	@echo 'make unit        unit tests, with sanitizers'
	@echo 'make differential  our decoder and the one of npm ws, on the same random streams'
	@echo 'make functional  functional tests: the module in Debian'"'"'s nginx'
	@echo 'make sanitized   functional tests: the sanitized nginx'
	@echo 'make trickle     functional tests: the sanitized nginx, one byte per write'
	@echo 'make browser     a real browser against the examples'
	@echo 'make deb         build/deb/libnginx-mod-http-ws_*.deb, for Debian'"'"'s nginx'
	@echo 'make test-deb    that package, installed in a clean Debian'
	@echo 'make test        all of these but trickle, and fuzz-replay'
	@echo 'make install     the module, where nginx looks for it (DESTDIR, MODULES)'
	@echo 'make run         a gateway with an example to try'
	@echo 'make fuzz        the fuzz targets of t/fuzz, a minute each (SECONDS_EACH=600: ten)'
	@echo 'make fuzz-replay their corpora, and a short run'
	@echo 'make bench       CPU and memory against other gateways (bench-quick: in three minutes)'
	@echo 'make bench-counts  instructions, system calls and packets of a worker, for each message and upgrade'
	@echo 'make bench-live  what live sessions cost: logout to close, the event loop meanwhile, lookups, memory'
	@echo 'make bench-micro the loops over bytes, against simple ones and memcpy'
	@echo 'make clean       remove build/'
	@echo
	@echo 'Benchmarks: PART="64.B upgrade" picks parts; a wrong one says which there are.'
	@echo 'Functional tests: T="t/a.t t/b.t" picks files, ONLY=regex picks titles, KEEP=1 keeps the'
	@echo 'directories, LOG=debug writes debug logs.'

test:
	$(MAKE) deps
	$(MAKE) module
	$(MAKE) static
	$(MAKE) -j$(JOBS) check
	$(MAKE) -j$(JOBS) unit
	$(MAKE) -j$(JOBS) fuzz-replay
	$(MAKE) differential
	$(MAKE) functional
	$(MAKE) sanitized
	$(MAKE) browser
	$(MAKE) test-deb

deps:
	@scripts/deps

module:
	@scripts/build-module

static:
	@scripts/build-static

deb:
	@scripts/build-deb

test-deb: deb
	@scripts/test-deb

# Where nginx looks for `load_module modules/...`. It is not in everybody's PATH.
MODULES = $(shell PATH=$$PATH:/usr/sbin; nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')

install: module
	@[ -n "$(MODULES)" ] || { echo 'nginx -V names no --modules-path: make install MODULES=DIRECTORY' >&2; exit 1; }
	install -D -m 644 $(MODULE) $(DESTDIR)$(MODULES)/ngx_http_ws_module.so
	@echo 'load_module modules/ngx_http_ws_module.so;  goes to the top of nginx.conf'

run: deps
	@$(MAKE) module
	@scripts/run

clean:
	rm -rf build


# Functional tests

T := $(FUNCTIONAL)
PROVE := prove -j$(JOBS)

FAILING := build/memory/failing_allocations.so

functional: module $(FAILING)
	GATEWAY_MODULE=$(root)/$(MODULE) $(PROVE) $(T)

sanitized: static $(FAILING)
	GATEWAY_NGINX=$(root)/$(STATIC) $(PROVE) $(T)

trickle: static $(FAILING)
	GATEWAY_NGINX=$(root)/$(STATIC) TRICKLE=1 $(PROVE) $(T)

build/memory/%.so: t/memory/%.cpp scripts/flags
	@mkdir -p $(@D)
	g++ $(call flag,CXX_STANDARD) $(call flag,CXX_WARNINGS) -O2 -shared -fPIC -MMD -MP $< -ldl -o $@

browser: module
	GATEWAY_MODULE=$(root)/$(MODULE) prove t/browser.t t/browser_status.t


# Unit tests

LIBRARIES := -lhiredis -ljansson -lz -lcjose -lcrypto
UNIT_FLAGS := $(call flag,CXX_STANDARD) $(call flag,CXX_WARNINGS) $(call flag,SANITIZE) -Imodule -It

unit: $(UNIT)
	CMOCKA_MESSAGE_OUTPUT=TAP $(PROVE) --exec '' $(UNIT)

build/unit/%.o: module/%.cpp scripts/flags
	@mkdir -p $(@D)
	g++ $(UNIT_FLAGS) -MMD -MP -c $< -o $@

build/unit/libcore.a: $(CORE:module/%.cpp=build/unit/%.o)
	@rm -f $@
	ar rcs $@ $^

build/unit/%_test: t/unit/%_test.cpp build/unit/libcore.a scripts/flags
	g++ $(UNIT_FLAGS) -MMD -MP $< build/unit/libcore.a $(LIBRARIES) -lcmocka -o $@


# Our decoder against another

differential: build/differential/decode
	prove t/differential.t

build/differential/decode: t/differential/decode.cpp build/unit/libcore.a scripts/flags
	@mkdir -p $(@D)
	g++ $(UNIT_FLAGS) -MMD -MP $< build/unit/libcore.a $(LIBRARIES) -o $@


# Checks

check: module check-clang build/bench/instructions
	clang-format --dry-run -Werror $(wildcard $(foreach place,module t/unit t/fuzz t/differential t/memory bench bench/live,$(place)/*.[ch]pp $(place)/*/*.cpp $(place)/*/*.h))
	scripts/check-layers
	scripts/check-directives
	scripts/check-docs
	scripts/check-conformance
	scripts/check-exports
	scripts/check-instructions

# clang sees other mistakes than g++: all sources compile with both.
CLANG_FLAGS := $(call flag,CXX_STANDARD) $(call flag,CXX_WARNINGS) -Imodule

check-clang: $(patsubst module/%.cpp,build/clang/%.o,$(wildcard module/*/*.cpp))

build/clang/nginx/%.o: NGINX_INCLUDES = $(addprefix -I,build/dynamic/objs $(shell find build/dynamic/src -type d))

build/clang/%.o: module/%.cpp scripts/flags | module
	@mkdir -p $(@D)
	clang++ $(CLANG_FLAGS) $(NGINX_INCLUDES) -MMD -MP -c $< -o $@


# Fuzzing: each file of t/fuzz is one libFuzzer target; t/fuzz/corpus has what its run begins with.

SECONDS_EACH := 60
FUZZ_FLAGS := $(call flag,CXX_STANDARD) $(call flag,SANITIZE) -Imodule

fuzz: $(FUZZ)
	@printf '%s\n' $(FUZZ) | xargs -P$(JOBS) -I{} scripts/fuzz {} -max_total_time=$(SECONDS_EACH)

# The corpora, and a little more, always the same.
fuzz-replay: $(FUZZ)
	@printf '%s\n' $(FUZZ) | xargs -P$(JOBS) -I{} scripts/fuzz {} -runs=5000 -seed=1

build/fuzz/%.o: module/%.cpp scripts/flags
	@mkdir -p $(@D)
	clang++ $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

build/fuzz/libcore.a: $(CORE:module/%.cpp=build/fuzz/%.o)
	@rm -f $@
	ar rcs $@ $^

build/fuzz/%_fuzz: t/fuzz/%_fuzz.cpp build/fuzz/libcore.a scripts/flags
	clang++ $(FUZZ_FLAGS) -fsanitize=fuzzer -MMD -MP $< build/fuzz/libcore.a $(LIBRARIES) -o $@


# Benchmarks: never a part of the tests. PART="64.B upgrade" picks parts.

BENCH := build/bench/load build/bench/echo build/bench/gap.so
BENCH_FLAGS := $(call flag,CXX_STANDARD) $(call flag,CXX_WARNINGS) -O2

bench bench-quick: bench-deps module $(BENCH)
	set -f; scripts/bench $(if $(filter bench-quick,$@),--quick) $(PART)

# FUNCTIONS=40 prints the largest functions of each.
bench-counts: bench-deps module $(BENCH)
	set -f; scripts/bench-counts $(if $(FUNCTIONS),--functions $(FUNCTIONS)) $(PART)

bench-deps:
	@scripts/deps bench

# Optimised as Debian's nginx is.
build/bench/core/%.o: module/%.cpp scripts/flags
	@mkdir -p $(@D)
	g++ $(BENCH_FLAGS) -Imodule -MMD -MP -c $< -o $@

build/bench/libcore.a: $(CORE:module/%.cpp=build/bench/core/%.o)
	@rm -f $@
	ar rcs $@ $^

bench-micro: bench-deps build/bench/micro
	build/bench/micro $(if $(ONLY),--benchmark_filter='$(ONLY)')

build/bench/instructions: bench/instructions.cpp build/bench/libcore.a scripts/flags
	g++ $(BENCH_FLAGS) -Imodule -MMD -MP $< build/bench/libcore.a $(LIBRARIES) -o $@

build/bench/micro: bench/micro.cpp build/bench/libcore.a scripts/flags
	g++ $(BENCH_FLAGS) -Imodule -MMD -MP $< build/bench/libcore.a $(LIBRARIES) -lbenchmark -o $@

build/bench/%: bench/%.cpp scripts/flags
	@mkdir -p $(@D)
	g++ $(BENCH_FLAGS) -MMD -MP $< -lcrypto -o $@

build/bench/%.so: bench/%.cpp scripts/flags
	@mkdir -p $(@D)
	g++ $(BENCH_FLAGS) -shared -fPIC -MMD -MP $< -ldl -o $@

LIVE_BENCH := build/bench/live/sockets build/bench/live/memory build/bench/gap.so

bench-live: module $(LIVE_BENCH)
	bench/live/report build/bench $(MODULE)

build/bench/live/memory: bench/live/memory.cpp $(CORE) scripts/flags
	@mkdir -p $(@D)
	g++ $(BENCH_FLAGS) -Imodule $(filter %.cpp,$^) $(LIBRARIES) -o $@


-include $(shell find build/bench build/unit build/differential build/memory build/clang build/fuzz -name '*.d' 2>/dev/null)

.DELETE_ON_ERROR:
.PHONY: help test deps module static deb test-deb install run clean functional sanitized trickle browser unit differential check check-clang fuzz fuzz-replay bench bench-quick bench-counts bench-deps bench-live bench-micro
