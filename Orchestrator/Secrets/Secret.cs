using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace Orchestrator.Secrets;

/// <summary>A value that must not be seen. It prints as <c>***</c>, is written as that into JSON, and is given out only by <see cref="Reveal"/>.</summary>
[JsonConverter(typeof(SecretJsonConverter))]
public sealed class Secret(string value) : IEquatable<Secret>
{
    public string Reveal() => value;

    public override string ToString() => "***";

    /// <summary>In a time that says nothing about where two values differ.</summary>
    public bool Equals(Secret? other) =>
        other is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(value), Encoding.UTF8.GetBytes(other.Reveal()));

    public override bool Equals(object? obj) => Equals(obj as Secret);

    public override int GetHashCode() => 0;     // any other number would say something about the value
}
