using System.Collections.Immutable;
using System.Text;
using Orchestrator.Backups.Encryption;

namespace Orchestrator.Backups.Keeping;

/// <summary>What a kind of data needs to become a running service again, told for people with a shell and nothing of ours.</summary>
/// <param name="Title">Such as <c>postgres (PostgreSQL 15)</c>.</param>
/// <param name="Text">What to do, line by line; <c>STACK/</c> is the directory that holds the card.</param>
public sealed record RecoverySection(string Title, string Text)
{
    /// <summary>What the text speaks of, to lie beside it.</summary>
    public ImmutableArray<RecoveryScript> Scripts { get; init; } = [];
}

/// <param name="Name">Of the file, beside the card.</param>
public sealed record RecoveryScript(string Name, string Content);

/// <summary>
/// The page that is printed and kept with the private key, and the script that it speaks of. Both lie beside the data in every store. They need age, zstd,
/// awk and a shell, which every distribution has.
/// </summary>
public static class RecoveryCard
{
    /// <summary>Decrypts and decompresses a set, and holds every file against the hash in the manifest.</summary>
    public const string Script = """
        #!/usr/bin/env bash
        # Restores the files of one backup set. Needs age, zstd, sha256sum and awk.
        #   bash restore.sh KEYFILE SETID TARGET      in the directory of the stack; without SETID: lists the sets
        set -euo pipefail
        here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
        if [ $# -lt 3 ]; then
          echo "usage: bash restore.sh KEYFILE SETID TARGET; the sets here are:"
          for manifest in "$here"/sets/*/manifest.json; do basename "$(dirname "$manifest")"; done
          exit 2
        fi
        key=$1 set=$2 target=$3
        (cd "$here/sets/$set" && sha256sum -c manifest.json.sha256)
        awk -F'"' '$2 == "key" { key = $4 } $2 == "plainHash" { plain = $4 == "" ? "-" : $4 } $2 == "storedHash" { print plain, $4, key }' "$here/sets/$set/manifest.json" |
          while read -r hash stored object; do
            name=${object#*/sets/*/} name=${name%.zst.age}
            mkdir -p "$(dirname "$target/$name")"
            age -d -i "$key" "$here/../$object" | zstd -dc -o "$target/$name" -f -q
            # What came compressed is known by what is stored.
            if [ "$hash" = - ]; then echo "$stored  $here/../$object"; else echo "$hash  $target/$name"; fi | sha256sum -c
          done
        echo "All files of $set are in $target and are what was backed up."

        """;

    /// <param name="recipients">Who can read it.</param>
    /// <param name="sections">One for each kind of data, in the order in which it is restored.</param>
    public static string Text(string stack, IEnumerable<AgeRecipient> recipients, IEnumerable<RecoverySection> sections)
    {
        var text = new StringBuilder()
            .Append("RECOVERY CARD of the stack ").Append(stack).Append("\n\n")
            .Append("Print this page and keep it with the private key. It needs no BasMalin: age, zstd, tar and the\n")
            .Append("programs of the databases are enough.\n\n")
            .Append("1. Get a private key of one of these recipients (a line that begins with AGE-SECRET-KEY-1) into a file:\n");
        foreach (var recipient in recipients) text.Append("     ").Append(recipient).Append('\n');
        text.Append("2. Copy the directory ").Append(stack).Append("/ of a store to a machine with enough space.\n")
            .Append("3. bash ").Append(stack).Append("/restore.sh                        lists the sets; a higher number is newer\n")
            .Append("   bash ").Append(stack).Append("/restore.sh KEYFILE SETID TARGET   decrypts one and checks every file\n")
            .Append("   By hand, one file: age -d -i KEYFILE OBJECT.zst.age | zstd -dc > FILE\n");
        var number = 4;
        foreach (var section in sections)
        {
            text.Append('\n').Append(number++).Append(". ").Append(section.Title).Append('\n')
                .Append(section.Text.Replace("STACK/", $"{stack}/", StringComparison.Ordinal).TrimEnd()).Append('\n');
        }


        return text.ToString();
    }

    /// <summary>Lays the card and the scripts beside the data of every store.</summary>
    /// <returns>Stores that did not take them.</returns>
    public static async Task<ImmutableArray<Pipeline.StoreFailure>> PutAsync(Pipeline.BackupRepository repository, ImmutableArray<RecoverySection> sections, CancellationToken cancellationToken)
    {
        var scripts = sections.SelectMany(section => section.Scripts).Append(new RecoveryScript(BackupLayout.RestoreScript, Script)).DistinctBy(script => script.Name);
        var files = scripts.Append(new RecoveryScript(BackupLayout.RecoveryCard, Text(repository.Stack, repository.Recipients, sections))).ToImmutableArray();
        var failures = ImmutableArray.CreateBuilder<Pipeline.StoreFailure>();
        foreach (var store in repository.Stores)
        {
            try
            {
                foreach (var file in files) await ManifestFile.PutAsync(store, $"{repository.Stack}/{file.Name}", Encoding.UTF8.GetBytes(file.Content), cancellationToken);
            }
            catch (Exception failure) when (failure is BackupStoreException or IOException)
            {
                failures.Add(new Pipeline.StoreFailure(store.Name, BackupLayout.RecoveryCard, failure.Message));
            }
        }

        return failures.ToImmutable();
    }
}
