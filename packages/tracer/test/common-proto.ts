/** The messages that all of OTLP's signals have in common, for protobufjs, by the official field numbers. */
export const field = (type: string, id: number, rule?: 'repeated') => ({
  type,
  id,
  ...(rule ? { rule } : {})
})

export const COMMON_TYPES = {
  Resource: { fields: { attributes: field('KeyValue', 1, 'repeated') } },
  Scope: { fields: { name: field('string', 1), version: field('string', 2) } },
  KeyValue: { fields: { key: field('string', 1), value: field('AnyValue', 2) } },
  AnyValue: {
    oneofs: {
      value: {
        oneof: [
          'stringValue',
          'boolValue',
          'intValue',
          'doubleValue',
          'arrayValue',
          'kvlistValue',
          'bytesValue'
        ]
      }
    },
    fields: {
      stringValue: field('string', 1),
      boolValue: field('bool', 2),
      intValue: field('int64', 3),
      doubleValue: field('double', 4),
      arrayValue: field('ArrayValue', 5),
      kvlistValue: field('KeyValueList', 6),
      bytesValue: field('bytes', 7)
    }
  },
  ArrayValue: { fields: { values: field('AnyValue', 1, 'repeated') } },
  KeyValueList: { fields: { values: field('KeyValue', 1, 'repeated') } }
}
