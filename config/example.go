package config

// Example is a file with every key, as config.toml may begin: what stands there without a
// # in front has its default, so that the whole changes nothing.
const Example = `# The configuration of actiongraph. Each line shows a key's default, or, after a "# ", one
# of an entry that is there for each database, source or model: take away the "# ".

# Each [[graph]] is a Neo4j or Memgraph that "ag-sessiond run" keeps in step.
# [[graph]]
# url           = "bolt://localhost:7687" # or bolt+s bolt+ssc neo4j neo4j+s neo4j+ssc
# name          = "team"                  # for --graph team; default: the host, and its port if not 7687
# user          = "neo4j"                 # default: neo4j if there is a password, else no login
# password      = "secret"                # one of these three, default none; this one wants chmod 600
# password_file = "team.password"         #   its first line; relative to this folder; chmod 600
# password_env  = "TEAM_PASSWORD"         #   an environment variable
# database      = "neo4j"                 # default: the server's default database

# Which transcripts "ag-sessiond run" reads as they grow.
[transcripts]
follow = ["announced"] # what hooks name; "all": and all the runtime keeps; or folders; []: none

# Each [[source]] is JSONL of other agents that "ag-sessiond run" reads as it grows.
# [[source]]
# path         = "~/agent/logs/*.jsonl" # a file, folder or glob; relative to this folder
# format       = "oms"                  # or audit trace-events events; default: auto, by what is in it
# namespace    = "research"             # of Action grains that name none; default: default
# keep_unknown = true                   # keeps grains of other types; default false: they are bad lines

# Where "ag-sessiond run" answers HTTP requests of this machine.
[api]
socket = "api.sock" # relative to this folder, this user's alone; "none": no socket
listen = ""         # "127.0.0.1:4009": this port, too, loopback alone, with the token in api.token

# Where a Prometheus server asks "ag-sessiond run" what it counts: /metrics, and /healthz, /readyz, /statusz.
[metrics]
listen = "" # "127.0.0.1:9464": this port, loopback alone; no token: ids, and names of tools and models, but no text of yours

# What is recorded.
[capture]
exclude_projects = []     # ["~/secret", "**/clients/*"]: sessions in these folders, not at all
exclude_tools    = []     # ["WebFetch", "mcp__bank__*"]: neither input nor output of these
max_chars        = 0      # bytes of one text, 256 to 1048576; 0 is that
content          = "full" # "gist": 200 characters of each text; "none": sizes only

# Secrets beside those that are known by their shape.
[redact]
patterns = [] # ["ACME-[0-9]{8}", "(?i)pin: (?P<pin>[0-9]{4})"], RE2: a named group is what is taken out

# What "ag-sessiond run" does with old sessions, each hour.
[retention]
older_than = "" # "90d": sessions of which nothing is as new are forgotten, as by prune
keep_tags  = [] # ["keep"]: but for those with one of these tags
pack_after = "" # "30d": ended sessions to which nothing was written for so long are packed, as by pack

# Whether "ag-sessiond run" seals what is recorded.
[seal]
enabled = false # true: each minute at most; "ag-sessiond verify --seal" then sees what was changed

# What "ag-sessiond secrets scan" finds and is none, by its fingerprint.
[secrets]
allow = [] # ["generic-api-key:0123456789abcdef"]

# What a model costs in "ag-sessiond usage", in US dollars per million tokens; it comes
# before the list price. A * stands for any text, the longest name that fits counts.
# [prices."my-model-*"]
# input          = 2.0  # to be given
# output         = 10.0 # to be given
# cache_read     = 0.2  # default: 0.1 times input
# cache_write_5m = 2.5  # default: 1.25 times input
# cache_write_1h = 4.0  # default: 2 times input
# fast           = 2.0  # all of it times this where the speed is "fast"; default: not known
`
