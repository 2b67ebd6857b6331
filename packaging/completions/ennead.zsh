#compdef ennead

autoload -U is-at-least

_ennead() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--config=[Read settings from this file (TOML); none is read otherwise]:FILE:_files' \
'--data=[Directory of the data, created when missing \[default\: ./data\]]:DIR:_default' \
'--resp=[Address of the Redis protocol, or off \[default\: 127.0.0.1\:6379\]]:ADDR:_default' \
'--http=[Address of HTTP, or off \[default\: 127.0.0.1\:9200\]]:ADDR:_default' \
'--grpc=[Address of gRPC, or off \[default\: 127.0.0.1\:2379\]]:ADDR:_default' \
'--durability=[When a write is acknowledged\: always, everysec or none \[default\: everysec\]]:WHEN:_default' \
'--maxmemory=[Memory limit of keys and values, such as 2gb \[default\: none\]]:BYTES:_default' \
'--password-file=[File whose first line is the password]:FILE:_default' \
'--tls-certificate=[Certificate chain (PEM)\: all listeners speak TLS]:FILE:_default' \
'--tls-key=[Private key of the certificate (PEM)]:FILE:_default' \
'--tls-client-ca=[Authorities of clients'\'' certificates (PEM)\: every client must show one]:FILE:_default' \
'--log-level=[error, warn, info, debug or trace \[default\: info\]]:LEVEL:_default' \
'--log-format=[text or json \[default\: text\]]:FORMAT:_default' \
'*--set=[Any setting of ennead.toml, as section.key=value; may be repeated]:NAME=VALUE:_default' \
'--insecure[Let other machines in without password and without TLS]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_ennead_commands" \
"*::: :->ennead" \
&& ret=0
    case $state in
    (ennead)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:ennead-command-$line[1]:"
        case $line[1] in
            (serve)
_arguments "${_arguments_options[@]}" : \
'--config=[Read settings from this file (TOML); none is read otherwise]:FILE:_files' \
'--data=[Directory of the data, created when missing \[default\: ./data\]]:DIR:_default' \
'--resp=[Address of the Redis protocol, or off \[default\: 127.0.0.1\:6379\]]:ADDR:_default' \
'--http=[Address of HTTP, or off \[default\: 127.0.0.1\:9200\]]:ADDR:_default' \
'--grpc=[Address of gRPC, or off \[default\: 127.0.0.1\:2379\]]:ADDR:_default' \
'--durability=[When a write is acknowledged\: always, everysec or none \[default\: everysec\]]:WHEN:_default' \
'--maxmemory=[Memory limit of keys and values, such as 2gb \[default\: none\]]:BYTES:_default' \
'--password-file=[File whose first line is the password]:FILE:_default' \
'--tls-certificate=[Certificate chain (PEM)\: all listeners speak TLS]:FILE:_default' \
'--tls-key=[Private key of the certificate (PEM)]:FILE:_default' \
'--tls-client-ca=[Authorities of clients'\'' certificates (PEM)\: every client must show one]:FILE:_default' \
'--log-level=[error, warn, info, debug or trace \[default\: info\]]:LEVEL:_default' \
'--log-format=[text or json \[default\: text\]]:FORMAT:_default' \
'*--set=[Any setting of ennead.toml, as section.key=value; may be repeated]:NAME=VALUE:_default' \
'--insecure[Let other machines in without password and without TLS]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(check-config)
_arguments "${_arguments_options[@]}" : \
'--config=[Read settings from this file (TOML); none is read otherwise]:FILE:_files' \
'--data=[Directory of the data, created when missing \[default\: ./data\]]:DIR:_default' \
'--resp=[Address of the Redis protocol, or off \[default\: 127.0.0.1\:6379\]]:ADDR:_default' \
'--http=[Address of HTTP, or off \[default\: 127.0.0.1\:9200\]]:ADDR:_default' \
'--grpc=[Address of gRPC, or off \[default\: 127.0.0.1\:2379\]]:ADDR:_default' \
'--durability=[When a write is acknowledged\: always, everysec or none \[default\: everysec\]]:WHEN:_default' \
'--maxmemory=[Memory limit of keys and values, such as 2gb \[default\: none\]]:BYTES:_default' \
'--password-file=[File whose first line is the password]:FILE:_default' \
'--tls-certificate=[Certificate chain (PEM)\: all listeners speak TLS]:FILE:_default' \
'--tls-key=[Private key of the certificate (PEM)]:FILE:_default' \
'--tls-client-ca=[Authorities of clients'\'' certificates (PEM)\: every client must show one]:FILE:_default' \
'--log-level=[error, warn, info, debug or trace \[default\: info\]]:LEVEL:_default' \
'--log-format=[text or json \[default\: text\]]:FORMAT:_default' \
'*--set=[Any setting of ennead.toml, as section.key=value; may be repeated]:NAME=VALUE:_default' \
'--insecure[Let other machines in without password and without TLS]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(backup)
_arguments "${_arguments_options[@]}" : \
'--data=[Directory of the data]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
':target -- New directory for the copy:_files' \
&& ret=0
;;
(restore)
_arguments "${_arguments_options[@]}" : \
'--data=[Directory of the data]:DIR:_files' \
'*--archive=[Directory with log segments to replay over the copy; may be repeated]:DIR:_files' \
'(--until-time)--until-batch=[Stop after this batch]:NUMBER:_default' \
'--until-time=[Stop after the last batch written at this time, such as 2026-11-23T16\:40\:00Z]:TIME:_default' \
'-h[Print help]' \
'--help[Print help]' \
':source -- Directory that `backup`, SAVE or BGSAVE wrote:_files' \
&& ret=0
;;
(repair)
_arguments "${_arguments_options[@]}" : \
'--data=[Directory of the data]:DIR:_files' \
'--apply[Cut off what cannot be read, and what lies behind it; the cut files are kept aside]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(compact)
_arguments "${_arguments_options[@]}" : \
'--data=[Directory of the data]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
'--rdb=[Snapshot file to write, in the form of Redis 7.0; replaced when whole]:FILE:_files' \
'(--data)--from=[Running server instead of a data directory\: redis\[s\]\://\[\[user\:\]password@\]host\[\:port\]; a Redis is one as well]:ADDR:_default' \
'--cacert=[Authorities (PEM) of the certificates that servers show \[default\: those of the system\]]:FILE:_files' \
'--cert=[Certificate chain (PEM) to show to servers that ask for one]:FILE:_files' \
'--key=[Private key of the certificate (PEM)]:FILE:_files' \
'--data=[Directory of the data]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
'--to=[The running Ennead\: host\:port, or redis\[s\]\://\[\[user\:\]password@\]host\[\:port\]]:ADDR:_default' \
'--state=[File that keeps where the next start goes on]:FILE:_files' \
'--cacert=[Authorities (PEM) of the certificates that servers show \[default\: those of the system\]]:FILE:_files' \
'--cert=[Certificate chain (PEM) to show to servers that ask for one]:FILE:_files' \
'--key=[Private key of the certificate (PEM)]:FILE:_files' \
'--until-caught-up[Stop following once everything is here that the source had a moment ago]' \
'--flush[Before a full copy, delete what the target holds]' \
'(--flush)--merge[Copy over what the target holds; keys that only the target has stay]' \
'-h[Print help]' \
'--help[Print help]' \
':source -- redis\[s\]\://\[\[user\:\]password@\]host\[\:port\]\[/database\] of a running Redis, or a snapshot file (dump.rdb, up to Redis 7.4):_default' \
":: :_ennead__subcmd__import_commands" \
"*::: :->import" \
&& ret=0

    case $state in
    (import)
        words=($line[2] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:ennead-import-command-$line[2]:"
        case $line[2] in
            (etcd)
_arguments "${_arguments_options[@]}" : \
'--endpoint=[The running etcd, 3.3 or later\: \[http\[s\]\://\]host\[\:port\]]:ADDR:_default' \
'--user=[User of the source]:NAME:_default' \
'--password=[Password of the user]:PASSWORD:_default' \
'--to=[The running Ennead, its gRPC port\: \[http\[s\]\://\[\[user\:\]password@\]\]host\[\:port\]]:ADDR:_default' \
'--cacert=[Authorities (PEM) of the certificates that servers show \[default\: those of the system\]]:FILE:_files' \
'--cert=[Certificate chain (PEM) to show to servers that ask for one]:FILE:_files' \
'--key=[Private key of the certificate (PEM)]:FILE:_files' \
'--follow[After the copy, make each change of the source here as well, until Ctrl-C]' \
'--flush[Before the copy, delete what the target holds of etcd'\''s keys and leases]' \
'(--flush)--merge[Copy over what the target holds; keys that only the target has stay]' \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
        esac
    ;;
esac
;;
(version)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
&& ret=0
;;
(generate)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
':root -- Directory to write into\: the repository'\''s root:_files' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_ennead__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:ennead-help-command-$line[1]:"
        case $line[1] in
            (serve)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check-config)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(backup)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(restore)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(repair)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(compact)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(export)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
":: :_ennead__subcmd__help__subcmd__import_commands" \
"*::: :->import" \
&& ret=0

    case $state in
    (import)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:ennead-help-import-command-$line[1]:"
        case $line[1] in
            (etcd)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(version)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(generate)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_ennead_commands] )) ||
_ennead_commands() {
    local commands; commands=(
'serve:Run the server (the default)' \
'check-config:Read flags, environment and file as \`serve\` would, and say what they come to' \
'backup:Write a consistent copy of a data directory that no server uses' \
'restore:Make a data directory from a copy, with archived log segments up to a point in time' \
'repair:Say what of a data directory cannot be read and what it would cost to go on without it' \
'compact:Give the space of deleted rows back to the file system' \
'export:Write a snapshot file that redis-server loads\: of a data directory, or of a running server' \
'import:Copy a running Redis, a snapshot file of it, or a running etcd to a running Ennead' \
'version:Print the version and what the binary was built with' \
'generate:Write generated files\: man page, completions, reference pages' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'ennead commands' commands "$@"
}
(( $+functions[_ennead__subcmd__backup_commands] )) ||
_ennead__subcmd__backup_commands() {
    local commands; commands=()
    _describe -t commands 'ennead backup commands' commands "$@"
}
(( $+functions[_ennead__subcmd__check-config_commands] )) ||
_ennead__subcmd__check-config_commands() {
    local commands; commands=()
    _describe -t commands 'ennead check-config commands' commands "$@"
}
(( $+functions[_ennead__subcmd__compact_commands] )) ||
_ennead__subcmd__compact_commands() {
    local commands; commands=()
    _describe -t commands 'ennead compact commands' commands "$@"
}
(( $+functions[_ennead__subcmd__export_commands] )) ||
_ennead__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'ennead export commands' commands "$@"
}
(( $+functions[_ennead__subcmd__generate_commands] )) ||
_ennead__subcmd__generate_commands() {
    local commands; commands=()
    _describe -t commands 'ennead generate commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help_commands] )) ||
_ennead__subcmd__help_commands() {
    local commands; commands=(
'serve:Run the server (the default)' \
'check-config:Read flags, environment and file as \`serve\` would, and say what they come to' \
'backup:Write a consistent copy of a data directory that no server uses' \
'restore:Make a data directory from a copy, with archived log segments up to a point in time' \
'repair:Say what of a data directory cannot be read and what it would cost to go on without it' \
'compact:Give the space of deleted rows back to the file system' \
'export:Write a snapshot file that redis-server loads\: of a data directory, or of a running server' \
'import:Copy a running Redis, a snapshot file of it, or a running etcd to a running Ennead' \
'version:Print the version and what the binary was built with' \
'generate:Write generated files\: man page, completions, reference pages' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'ennead help commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__backup_commands] )) ||
_ennead__subcmd__help__subcmd__backup_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help backup commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__check-config_commands] )) ||
_ennead__subcmd__help__subcmd__check-config_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help check-config commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__compact_commands] )) ||
_ennead__subcmd__help__subcmd__compact_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help compact commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__export_commands] )) ||
_ennead__subcmd__help__subcmd__export_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help export commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__generate_commands] )) ||
_ennead__subcmd__help__subcmd__generate_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help generate commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__help_commands] )) ||
_ennead__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help help commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__import_commands] )) ||
_ennead__subcmd__help__subcmd__import_commands() {
    local commands; commands=(
'etcd:Copy a running etcd\: all keys as of one revision, and their leases' \
    )
    _describe -t commands 'ennead help import commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__import__subcmd__etcd_commands] )) ||
_ennead__subcmd__help__subcmd__import__subcmd__etcd_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help import etcd commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__repair_commands] )) ||
_ennead__subcmd__help__subcmd__repair_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help repair commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__restore_commands] )) ||
_ennead__subcmd__help__subcmd__restore_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help restore commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__serve_commands] )) ||
_ennead__subcmd__help__subcmd__serve_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help serve commands' commands "$@"
}
(( $+functions[_ennead__subcmd__help__subcmd__version_commands] )) ||
_ennead__subcmd__help__subcmd__version_commands() {
    local commands; commands=()
    _describe -t commands 'ennead help version commands' commands "$@"
}
(( $+functions[_ennead__subcmd__import_commands] )) ||
_ennead__subcmd__import_commands() {
    local commands; commands=(
'etcd:Copy a running etcd\: all keys as of one revision, and their leases' \
    )
    _describe -t commands 'ennead import commands' commands "$@"
}
(( $+functions[_ennead__subcmd__import__subcmd__etcd_commands] )) ||
_ennead__subcmd__import__subcmd__etcd_commands() {
    local commands; commands=()
    _describe -t commands 'ennead import etcd commands' commands "$@"
}
(( $+functions[_ennead__subcmd__repair_commands] )) ||
_ennead__subcmd__repair_commands() {
    local commands; commands=()
    _describe -t commands 'ennead repair commands' commands "$@"
}
(( $+functions[_ennead__subcmd__restore_commands] )) ||
_ennead__subcmd__restore_commands() {
    local commands; commands=()
    _describe -t commands 'ennead restore commands' commands "$@"
}
(( $+functions[_ennead__subcmd__serve_commands] )) ||
_ennead__subcmd__serve_commands() {
    local commands; commands=()
    _describe -t commands 'ennead serve commands' commands "$@"
}
(( $+functions[_ennead__subcmd__version_commands] )) ||
_ennead__subcmd__version_commands() {
    local commands; commands=()
    _describe -t commands 'ennead version commands' commands "$@"
}

if [ "$funcstack[1]" = "_ennead" ]; then
    _ennead "$@"
else
    compdef _ennead ennead
fi
