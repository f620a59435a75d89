# Samples, one a line (landscape action client wall cpu servercpu kilobytes requests), into a table of medians on stdout and, if
# `json` names a file, JSON with every sample.

{
  row = $1 " " $2
  if (!(row in seen)) { seen[row] = 1; rows[++count] = row }
  n = ++runs[row, $3]
  wall[row, $3, n] = $4; cpu[row, $3, n] = $5; server[row, $3, n] = $6
  memory[row, $3, n] = $7; requests[row, $3, n] = $8
}

function median(values, row, client,    n, i, j, swap, sorted) {
  n = runs[row, client]
  for (i = 1; i <= n; i++) sorted[i] = values[row, client, i] + 0
  for (i = 2; i <= n; i++)
    for (j = i; j > 1 && sorted[j - 1] > sorted[j]; j--) { swap = sorted[j]; sorted[j] = sorted[j - 1]; sorted[j - 1] = swap }
  return n % 2 ? sorted[(n + 1) / 2] : (sorted[n / 2] + sorted[n / 2 + 1]) / 2
}

function times(theirs, mine) { return mine > 0 ? sprintf("%.1f", theirs / mine) : "-" }

# What kubectl does in place of an action of ours.
function counterpart(row) {
  if (row ~ / apply-plan$/) sub(/apply-plan$/, "first-apply", row)
  return row
}

function array(values, row, client,    i, text) {
  for (i = 1; i <= runs[row, client]; i++) text = text (i > 1 ? "," : "") values[row, client, i]
  return "[" text "]"
}

END {
  format = "%-12s %-14s %-8s %4s %8s %7s %9s %8s %8s %7s %7s %9s\n"
  printf format, "landscape", "action", "client", "runs", "wall s", "cpu s", "server s", "peak MiB", "requests", \
    "wall x", "cpu x", "server x"
  for (i = 1; i <= count; i++) {
    row = rows[i]
    split(row, name, " ")
    for (c = 1; c <= 2; c++) {
      client = c == 1 ? "kubectl" : "landskap"
      if (!((row, client) in runs)) continue
      other = counterpart(row)
      ratio = cpuratio = serverratio = ""
      if (client == "landskap" && ((other, "kubectl") in runs)) {
        ratio = times(median(wall, other, "kubectl"), median(wall, row, client))
        cpuratio = times(median(cpu, other, "kubectl"), median(cpu, row, client))
        serverratio = times(median(server, other, "kubectl"), median(server, row, client))
      }
      printf format, name[1], name[2], client, runs[row, client], sprintf("%.3f", median(wall, row, client)), \
        sprintf("%.2f", median(cpu, row, client)), sprintf("%.2f", median(server, row, client)), \
        sprintf("%.1f", median(memory, row, client) / 1024), \
        sprintf("%d", median(requests, row, client)), ratio, cpuratio, serverratio
      line = sprintf("{\"landscape\":\"%s\",\"action\":\"%s\",\"client\":\"%s\",\"wallSeconds\":%s,\"cpuSeconds\":%s,\"serverCpuSeconds\":%s,\"peakKiB\":%s,\"requests\":%s}", \
        name[1], name[2], client, array(wall, row, client), array(cpu, row, client), array(server, row, client), array(memory, row, client), array(requests, row, client))
      if (json) print (lines++ ? "," : "[") line > json
    }
  }
  if (json) print "]" > json
}
