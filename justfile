# Short names for what README and CONTRIBUTING spell out.

# The production server.
run *args:
    cargo run --package wagate -- {{args}}

# Gateway and simulated WhatsApp on loopback.
sandbox *args:
    cargo run --package wagate-sandbox -- {{args}}

# Everything that proves it works.
test:
    ./scripts/test

# The long form of the fault stories; `just faults network` for a part of them.
faults *names:
    ./scripts/faults {{names}}

# What CI checks besides the tests.
check:
    ./scripts/check

# Files that are generated from the code.
gen:
    UPDATE=1 cargo test --package wagate-tests --test generated

# Benchmarks: `just bench keys`, `just bench events`.
bench name:
    ./scripts/bench {{name}}
