# class: 5 secrets and the host's files
# check: stdio
# odd: yes
# reasons: pass runtime_error
# proof: without /proc there is no /dev/stdin: a known limit
with open("/dev/stdin") as file:
    print(sum(map(int, file.read().split())))
