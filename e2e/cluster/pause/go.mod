module parley.dev/cluster/pause

go 1.19
