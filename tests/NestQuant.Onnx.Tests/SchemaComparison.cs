using System.Collections;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Xunit.Sdk;

namespace NestQuant.Onnx.Tests;

/// <summary>Compares a message of the reference schema with an object of ours, field by field through reflection.</summary>
internal static class SchemaComparison
{
    public static void AssertSame(IMessage expected, object actual)
    {
        foreach (var field in expected.Descriptor.Fields.InDeclarationOrder())
        {
            var property = actual.GetType().GetProperty(field.PropertyName)
                ?? throw new XunitException($"{actual.GetType().Name} has no property {field.PropertyName}.");
            var value = property.GetValue(actual);
            var where = field.FullName;
            if (field.IsRepeated)
            {
                var expectedItems = ((IList)field.Accessor.GetValue(expected)).Cast<object>().ToList();
                var actualItems = ((IList)value!).Cast<object>().ToList();
                Assert.True(expectedItems.Count == actualItems.Count, where);
                for (var i = 0; i < expectedItems.Count; i++)
                    AssertSameValue(field, expectedItems[i], actualItems[i]);
            }
            else if (field.Accessor.HasValue(expected))
            {
                Assert.True(value is not null, where);
                AssertSameValue(field, field.Accessor.GetValue(expected), value!);
            }
            else
            {
                // Properties that are never null stand at their default when the field is absent.
                Assert.True(value is null or "" || (value is Enum e && Convert.ToInt32(e, null) == 0), where);
            }
        }
    }

    private static void AssertSameValue(FieldDescriptor field, object expected, object actual)
    {
        switch (expected)
        {
            case IMessage message:
                AssertSame(message, actual);
                break;
            case ByteString bytes:
                var content = actual is ReadOnlyMemory<byte> memory ? memory.ToArray() : (byte[])actual;
                Assert.True(bytes.Span.SequenceEqual(content), field.FullName);
                break;
            case Enum or int when actual is Enum:
                Assert.Equal(Convert.ToInt32(expected, null), Convert.ToInt32(actual, null));
                break;
            default:
                Assert.Equal(expected, actual);
                break;
        }
    }
}
